import { setTimeout } from 'node:timers/promises';

import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';

import { HubError } from '../errors.ts';
import { until } from '../fake-service.test-support.ts';
import { serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';

class InvalidOperationException extends Error {}

class Calls extends Hub {
  static readonly methods = {
    add: {},
    nothing: {},
    slowly: {},
    throws: {},
    rejects: {},
    refuses: {},
    counts: {},
    streamsLater: { streams: true },
    noStream: { streams: true },
    noIterable: { streams: true },
    cyclic: {},
  };
  add(a: number, b: number): number {
    return a + b;
  }
  nothing(): void {}
  async slowly(value: unknown): Promise<unknown> {
    await new Promise(setImmediate);
    return value;
  }
  throws(): never {
    throw new InvalidOperationException('secret');
  }
  async rejects(): Promise<never> {
    await new Promise(setImmediate);
    throw new InvalidOperationException('secret');
  }
  refuses(): never {
    throw new HubError('not today');
  }
  *counts(): Generator<number> {
    yield 1;
  }
  streamsLater(): Promise<AsyncIterable<number>> {
    return Promise.resolve(this.#numbers());
  }
  noStream(): null {
    return null;
  }
  noIterable(): number {
    return 1;
  }
  cyclic(): unknown {
    const value: { self?: unknown } = {};
    value.self = value;
    return value;
  }
  _hidden(): string {
    return 'hidden';
  }
  async *#numbers(): AsyncGenerator<number> {
    yield 1;
  }
}

async function answerTo(target: string, args: unknown[] = [], type: 1 | 4 = 1, detailed = false) {
  const { trunk } = await serve(Calls, { enableDetailedErrors: detailed });
  const client = trunk.open();
  client.json({ type, invocationId: '7', target, arguments: args });
  return client.text(1);
}

const threw = (target: string) =>
  `An unexpected error occurred invoking '${target}' on the server.`;
const notBound = (target: string) => `Failed to invoke '${target}' due to an error on the server.`;
const failed = (error: string) => JSON.stringify({ type: 3, invocationId: '7', error });

describe('what a call is answered with, as JSON', () => {
  test.each([
    ['add', [40, 2], '{"type":3,"invocationId":"7","result":42}'],
    ['ADD', [40, 2], '{"type":3,"invocationId":"7","result":42}'],
    ['add', [1, 2, 3], '{"type":3,"invocationId":"7","result":3}'],
    ['nothing', [], '{"type":3,"invocationId":"7","result":null}'],
    ['slowly', [{ a: [null] }], '{"type":3,"invocationId":"7","result":{"a":[null]}}'],
    ['throws', [], failed(threw('throws'))],
    ['reJECTS', [], failed(threw('reJECTS'))],
    ['refuses', [], failed(`${threw('refuses')} HubException: not today`)],
    ['cyclic', [], failed(threw('cyclic'))],
    ['add', [1], failed(notBound('add'))],
  ])('%s(%j)', async (target, args, expected) => {
    expect(await answerTo(target, args)).toBe(expected);
  });

  test.each([
    'missing',
    '_hidden',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'onConnected',
    'ONDISCONNECTED',
    'clients',
    '#numbers',
    '',
  ])('%j does not exist', async (target) => {
    const text = `${notBound(target)} HubException: Method does not exist.`;
    expect(await answerTo(target)).toBe(failed(text));
  });
});

describe('calls in the wrong mode', () => {
  test.each(['counts', 'streamsLater'])('%s streams, and was called', async (target) => {
    const text = `The client attempted to invoke the streaming '${target}' method with a non-streaming invocation.`;
    expect(await answerTo(target)).toBe(failed(text));
  });

  test.each(['nothing', 'slowly'])('%s does not stream, and was asked to', async (target) => {
    const text = `The client attempted to invoke the non-streaming '${target}' method with a streaming invocation.`;
    expect(await answerTo(target, ['x'], 4)).toBe(failed(text));
  });

  test.each(['noStream', 'noIterable'])(
    'what is no stream, %s, is named by its own spelling',
    async (name) => {
      const text = `The value returned by the streaming method '${name}' is not a ChannelReader<> or IAsyncEnumerable<>.`;
      expect(await answerTo(name.toUpperCase(), [], 4)).toBe(failed(text));
    },
  );
});

describe('with detailed errors', () => {
  test.each([
    ['throws', [], `${threw('throws')} InvalidOperationException: secret`],
    ['rejects', [], `${threw('rejects')} InvalidOperationException: secret`],
    [
      'add',
      [],
      `${notBound('add')} InvalidDataException: Invocation provides 0 argument(s) but target expects 2.`,
    ],
  ])('%s(%j)', async (target, args, text) => {
    expect(await answerTo(target, args, 1, true)).toBe(failed(text));
  });
});

test('a call without an id is never answered, and its error is logged', async () => {
  const { trunk, log } = await serve(Calls);
  const client = trunk.open();
  client.call('throws', [], '');
  client.call('missing', [], '');
  client.call('add', [1, 2]);
  expect(await client.text(1)).toBe('{"type":3,"invocationId":"1","result":3}');
  expect(log.lines).toEqual([
    'hub method Calls.throws threw',
    expect.stringMatching(/that nobody waits for was refused: Failed to invoke 'missing' /),
  ]);
});

test('MessagePack: results, void, errors', async () => {
  const { trunk } = await serve(Calls);
  const client = trunk.open({ protocol: 'messagepack' });
  client.call('add', [3, 4], '2');
  client.call('nothing', [], '2');
  client.call('refuses', [], '2');
  expect((await client.bytes(0)).toString()).toBe('{}\x1e');
  expect((await client.bytes(1)).toString('hex')).toBe('07950380a1320307');
  expect((await client.bytes(2)).toString('hex')).toBe('07950380a13203c0');
  const error = await client.bytes(3);
  expect(error.subarray(1, 7).toString('hex')).toBe('950380a13201');
  expect(error.toString()).toContain(`${threw('refuses')} HubException: not today`);
});

test('data types: handshake 1, completions 2', async () => {
  const { trunk } = await serve(Calls);
  const client = trunk.open();
  client.call('nothing');
  await client.text(1);
  expect(client.written.map(({ dataType }) => dataType)).toEqual([1, 2]);
});

describe('calls of one client', () => {
  class Gate extends Hub {
    static readonly opened: (() => void)[] = [];
    static running = 0;
    async pass(name: string): Promise<string> {
      Gate.running++;
      await new Promise<void>((resolve) => void Gate.opened.push(resolve));
      Gate.running--;
      return name;
    }
    aborted(): boolean {
      return this.signal.aborted;
    }
  }

  test('run one at a time, in order, and pings wait behind them', async () => {
    const { trunk } = await serve(Gate);
    const client = trunk.open();
    client.call('pass', ['a'], 'a');
    client.call('pass', ['b'], 'b');
    client.call('aborted', [], 'c');
    await until(() => Gate.opened.length === 1, 'the first call');
    expect(Gate.running).toBe(1);
    Gate.opened.shift()!();
    await until(() => Gate.opened.length === 1, 'the second call');
    Gate.opened.shift()!();
    await client.text(3);
    expect(client.texts.slice(1)).toEqual([
      '{"type":3,"invocationId":"a","result":"a"}',
      '{"type":3,"invocationId":"b","result":"b"}',
      '{"type":3,"invocationId":"c","result":false}',
    ]);
  });

  test('may run side by side', async () => {
    const { trunk } = await serve(Gate, { maximumParallelInvocationsPerClient: 2 });
    const client = trunk.open();
    client.call('pass', ['a'], 'a');
    client.call('pass', ['b'], 'b');
    await until(() => Gate.opened.length === 2, 'both calls');
    Gate.opened.pop()!();
    expect(await client.text(1)).toBe('{"type":3,"invocationId":"b","result":"b"}');
    Gate.opened.pop()!();
    expect(await client.text(2)).toBe('{"type":3,"invocationId":"a","result":"a"}');
  });

  test('must not share an id', async () => {
    const { trunk } = await serve(Gate, { maximumParallelInvocationsPerClient: 2 });
    const client = trunk.open();
    client.call('pass', ['a'], '1');
    client.call('pass', ['b'], '1');
    expect(await client.text(1)).toBe(
      '{"type":3,"invocationId":"1","error":"Invocation ID \'1\' is already in use."}',
    );
    Gate.opened.shift()!();
  });

  test('that wait for their client let the next one start', async () => {
    class Asks extends Hub {
      async ask(): Promise<unknown> {
        return this.clients.caller.invoke().send('confirm');
      }
      next(): string {
        return 'next';
      }
    }
    const { trunk } = await serve(Asks);
    const client = trunk.open();
    client.call('ask', [], 'a');
    client.call('next', [], 'b');
    expect(await client.text(1)).toBe('{"type":3,"invocationId":"b","result":"next"}');
    const { invocationId } = await trunk.next(34);
    client.json({ type: 3, invocationId, result: 7 });
    expect(await client.text(2)).toBe('{"type":3,"invocationId":"a","result":7}');
  });

  test('that are cancelled are told, and still owe their answer', async () => {
    class Waits extends Hub {
      async wait(): Promise<string> {
        const { signal } = this;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return 'told';
      }
    }
    const { trunk } = await serve(Waits);
    const client = trunk.open();
    client.call('wait');
    client.json({ type: 5, invocationId: 'unknown' });
    client.json({ type: 5, invocationId: '1' });
    expect(await client.text(1)).toBe('{"type":3,"invocationId":"1","result":"told"}');
  });

  test.each([
    ['by its client', [{ type: 5, invocationId: '1' }]],
    ['by the end of the connection', []],
  ])('that throw what their signal says are no failures: %s', async (_who, cancels) => {
    class Waits extends Hub {
      static readonly methods = { hello: {}, wait: {}, read: { uploads: 1 } };
      hello(): void {}
      async wait(): Promise<void> {
        await setTimeout(60_000, undefined, { signal: this.signal });
      }
      async read(items: AsyncIterable<unknown>): Promise<void> {
        for await (const _item of items);
      }
    }
    const { trunk, server, log } = await serve(Waits);
    const registry = new Registry();
    server.metrics(registry);
    const client = trunk.open();
    client.call('hello');
    await client.text(1);
    client.json({ type: 1, invocationId: 'u', target: 'read', arguments: [], streamIds: ['s'] });
    client.call('wait');
    for (const cancel of cancels) client.json(cancel);
    await client.text(1 + cancels.length);
    client.close();
    await server.stop({ timeout: 60_000 });
    expect(log.lines).toEqual([]);
    const metrics = await registry.metrics();
    expect(metrics).toContain('trunkline_sdk_calls_total{hub="chat"} 3');
    expect(metrics).toContain('trunkline_sdk_call_failures_total{hub="chat"} 0');
  });

  test('a method that ends after its client has gone answers nobody', async () => {
    const { trunk } = await serve(Gate);
    const client = trunk.open();
    client.call('pass', ['a']);
    await until(() => Gate.opened.length === 1, 'the call');
    client.close();
    const other = trunk.open({ id: 'c2' });
    await other.text(0);
    Gate.opened.shift()!();
    await until(() => Gate.running === 0, 'its end');
    other.call('aborted');
    await other.text(1);
    expect(client.texts).toEqual(['{}']);
  });
});
