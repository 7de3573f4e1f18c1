import { MessageType } from '@trunkline/protocol';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';

import { until } from '../fake-service.test-support.ts';
import type { FakeClient, FakeServerConnection } from '../fake-service.test-support.ts';
import { serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import { JsonProtocol } from '../protocols/json.ts';

const json = new JsonProtocol(false);

class Careless extends Hub {
  static ends: (() => void)[] = [];

  echo(value: unknown): unknown {
    return value;
  }
  async echoLater(value: unknown): Promise<unknown> {
    return value;
  }
  size(text: string): number {
    return text.length;
  }
  async echoSlowly(value: unknown): Promise<unknown> {
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    return value;
  }
  throwsNothing(): never {
    throw Object.create(null) as Error;
  }
  throwsSymbol(): never {
    throw Object.assign(new Error(), { message: Symbol('no') });
  }
  big(length: number): string {
    return 'x'.repeat(length);
  }
  busy(milliseconds: number): void {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
  }
  async rejectsLater(): Promise<never> {
    await new Promise<void>((resolve) => void Careless.ends.push(resolve));
    throw new Error('too late');
  }
  never(): Promise<never> {
    return new Promise(() => {});
  }
  badThenable(): object {
    return {
      // oxlint-disable-next-line unicorn/no-thenable -- That is what is tested.
      get then(): never {
        throw new Error('no');
      },
    };
  }
  answersTwice(): PromiseLike<string> {
    const value = {
      // oxlint-disable-next-line unicorn/no-thenable -- That is what is tested.
      then(resolve: (value: string) => void) {
        resolve('once');
        resolve('twice');
        throw new Error('and more');
      },
    };
    return value as unknown as PromiseLike<string>;
  }
}

const threw = (target: string) =>
  `{"type":3,"invocationId":"1","error":"An unexpected error occurred invoking '${target}' on the server."}`;

/** That another client is served as ever. */
async function unharmed(trunk: FakeServerConnection): Promise<void> {
  const other = trunk.open({ id: 'other' });
  other.call('echo', ['here']);
  expect(await other.text(1)).toBe('{"type":3,"invocationId":"1","result":"here"}');
  other.close();
}

describe.each([false, true])('with detailed errors: %s', (enableDetailedErrors) => {
  test.each([
    ['throwsNothing', 'Error: [object Object]'],
    ['throwsSymbol', 'Error: Symbol(no)'],
    ['badThenable', 'Error: no'],
  ])('%s is answered with an error', async (target, details) => {
    const { trunk } = await serve(Careless, { enableDetailedErrors });
    const client = trunk.open();
    client.call(target);
    const text = threw(target).slice(0, -2);
    expect(await client.text(1)).toBe(`${text}${enableDetailedErrors ? ` ${details}` : ''}"}`);
    client.call('echo', [1]);
    expect(await client.text(2)).toContain('"result":1');
    await unharmed(trunk);
  });
});

test('an answer that comes twice is sent once', async () => {
  const { trunk, log } = await serve(Careless);
  const client = trunk.open();
  client.call('answersTwice');
  client.call('echo', [1], '2');
  await client.text(2);
  expect(client.texts.slice(1)).toEqual([
    '{"type":3,"invocationId":"1","result":"once"}',
    '{"type":3,"invocationId":"2","result":1}',
  ]);
  expect(log.lines).toEqual([]);
});

test('a call that never ends holds up its own client alone', async () => {
  const { trunk } = await serve(Careless);
  const client = trunk.open();
  client.call('never');
  client.call('echo', [1], '2');
  await unharmed(trunk);
  expect(client.texts).toEqual(['{}']);
});

test('what a method throws once its client has gone is logged', async () => {
  Careless.ends = [];
  const { trunk, log } = await serve(Careless);
  const client = trunk.open();
  client.call('rejectsLater');
  await until(() => Careless.ends.length === 1, 'the call');
  client.close();
  await unharmed(trunk);
  Careless.ends[0]!();
  await until(() => log.lines.length > 0, 'the log');
  expect(log.lines).toEqual(['hub method Careless.rejectsLater threw']);
  expect(client.texts).toEqual(['{}']);
});

test('a server that stops waits for the methods of clients that have gone', async () => {
  Careless.ends = [];
  const { trunk, server } = await serve(Careless);
  const client = trunk.open();
  client.call('rejectsLater');
  await until(() => Careless.ends.length === 1, 'the call');
  client.close();
  const stopping = server.stop({ timeout: 60_000 });
  const pinged = (key: string) =>
    until(
      () => trunk.ofType(MessageType.Ping).some(({ entries }) => entries[0] === key),
      `a ${key} ping`,
    );
  await pinged('shutdown');
  // Answered behind the acknowledgement of the service, so a server that did not wait would be gone.
  trunk.send({ type: MessageType.Ping, entries: ['echo', 'still there?'] });
  await pinged('echo');
  expect(trunk.closeCode).toBeUndefined();
  Careless.ends[0]!();
  await stopping;
});

describe('arguments of 1 MB', () => {
  const LIMIT = 1024 * 1024;
  const frame = JSON.stringify({ type: 1, invocationId: '1', target: 'size', arguments: [''] });

  test('are received up to the limit, with what is around them', async () => {
    const { trunk } = await serve(Careless);
    const client = trunk.open();
    const length = LIMIT - frame.length - 1;
    client.json({ type: 1, invocationId: '1', target: 'size', arguments: ['x'.repeat(length)] });
    expect(await client.text(1)).toBe(`{"type":3,"invocationId":"1","result":${length}}`);
    await unharmed(trunk);
  });

  test('close the connection beyond it', async () => {
    const { trunk } = await serve(Careless);
    const client = trunk.open();
    const length = LIMIT - frame.length;
    client.json({ type: 1, invocationId: '1', target: 'size', arguments: ['x'.repeat(length)] });
    await client.released();
    expect(client.texts).toEqual([
      '{}',
      '{"type":7,"error":"Connection closed with an error.","allowReconnect":true}',
    ]);
    await unharmed(trunk);
  });
});

describe('10,000 calls at once', () => {
  const CALLS = 10_000;

  function flood(client: FakeClient, target: string, length = CALLS): void {
    const calls = Array.from({ length }, (_, n) =>
      client.protocol.invocation(target, [n], String(n)),
    );
    client.write(Buffer.concat(calls));
  }

  test.each([
    ['echo', CALLS],
    ['echoLater', CALLS],
    ['echoSlowly', 1_000],
  ])('%s: all %i are answered, in order', async (target, calls) => {
    const { trunk } = await serve(Careless);
    const client = trunk.open();
    await client.text(0);
    flood(client, target, calls);
    await until(() => client.written.length > calls, 'the answers');
    const answers = client.texts.slice(1).map((text) => (JSON.parse(text) as { result: 1 }).result);
    expect(answers).toEqual(Array.from({ length: calls }, (_, n) => n));
  });

  test.each(['echo', 'echoLater'])('%s: others are served in between', async (target) => {
    const { trunk } = await serve(Careless);
    const client = trunk.open();
    const other = trunk.open({ id: 'other' });
    await Promise.all([client.text(0), other.text(0)]);
    flood(client, target);
    other.call('echo', ['first']);
    await other.text(1);
    expect(client.written.length).toBeLessThan(CALLS / 2);
  });
});

/** Calls all at once, and another client's. Answers how many of them were dealt with before that. */
async function aheadOfOthers(trunk: FakeServerConnection, calls: readonly Uint8Array[]) {
  const client = trunk.open();
  const other = trunk.open({ id: 'other' });
  await Promise.all([client.text(0), other.text(0)]);
  client.write(Buffer.concat(calls));
  other.call('echo', ['here']);
  await other.text(1);
  return client.written.length - 1;
}

test('calls that take long are no more than others can wait for', async () => {
  const { trunk } = await serve(Careless);
  const calls = Array.from({ length: 200 }, (_, n) => json.invocation('busy', [4], String(n)));
  expect(await aheadOfOthers(trunk, calls)).toBeLessThan(20);
});

test('calls wait while their answers do, and leave room for what others send', async () => {
  const LIMIT = 1_000_000;
  const { trunk, server, hub } = await serve(Careless, { server: { maximumOutboundBytes: LIMIT } });
  const registry = new Registry();
  server.metrics(registry);
  let waiting = 0;
  const look = async () => {
    const [bytes] = /(?<=^trunkline_sdk_outbound_bytes\{.*\} )\d+$/m.exec(
      await registry.metrics(),
    )!;
    waiting = Number(bytes);
  };
  const client = trunk.open();
  await client.text(0);
  trunk.socket.pause();
  const all = 1000;
  const calls = Array.from({ length: all }, (_, n) => ['big', [50_000], String(n)] as const);
  client.write(Buffer.concat(calls.map((call) => json.invocation(...call))));
  await until(() => {
    void look();
    return waiting > LIMIT * 0.75;
  }, 'answers that wait');
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
  await look();
  expect(waiting).toBeLessThan(LIMIT * 0.85);
  await hub.clients.all.send('m');
  trunk.socket.resume();
  await until(() => client.written.length > all, 'all answers');
});
