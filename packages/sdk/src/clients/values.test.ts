import { MessageType } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';

import { serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import type { ItemQueue } from '../item-queue.ts';

const bytes = new Uint8Array([0, 255, 1]);
const cyclic: unknown[] = [];
cyclic.push(cyclic);

/** What methods answer with, and streams bring. */
const values: Record<string, unknown> = {
  bytes: { a: [bytes] },
  function: () => 1,
  symbol: Symbol('s'),
  nothing: { toJSON: () => undefined },
  bigint: [1n],
  cyclic,
  broken: {
    get a(): never {
      throw new RangeError('secret');
    },
  },
};

class Values extends Hub {
  static readonly methods = {
    give: {},
    items: {},
    echo: {},
    collect: { uploads: 1 },
    send: {},
    ask: {},
  };

  give(name: string): unknown {
    return values[name];
  }
  async *items(name: string): AsyncGenerator {
    yield 1;
    yield values[name];
    yield 2;
  }
  echo(...args: unknown[]): unknown {
    return args;
  }
  async collect(upload: ItemQueue): Promise<unknown> {
    const items: unknown[] = [];
    for await (const item of upload) items.push(item);
    return items;
  }
  async send(name: string): Promise<string> {
    await this.clients.caller.send('take', values[name]);
    return 'sent';
  }
  async ask(): Promise<unknown> {
    return this.clients.caller
      .invoke()
      .send('give')
      .catch((error: Error) => error.message);
  }
}

const good = ['bytes', 'function', 'symbol', 'nothing'];
const bad = ['bigint', 'cyclic', 'broken'];

describe.each(['json', 'messagepack'] as const)('in %s', (protocol) => {
  const open = async (options = {}) => {
    const harness = await serve(Values, options);
    const client = harness.trunk.open({ protocol });
    const parse = async (n: number) => {
      const record = await client.bytes(n);
      return client.protocol.parse(record, 0, record.length);
    };
    return { ...harness, client, parse };
  };
  const inJson = protocol === 'json';

  test('what can be sent is, and what has no form is null', async () => {
    const { client, parse } = await open();
    const expected = [{ a: [inJson ? 'AP8B' : Buffer.from(bytes)] }, null, null, null];
    for (const [at, name] of good.entries()) {
      client.call('give', [name], `${at}`);
      expect(await parse(1 + at)).toMatchObject({ type: 3, result: expected[at] });
    }
    client.write(client.protocol.invocation('echo', [1], 'last'));
    expect(await parse(5)).toMatchObject({ result: [1] });
  });

  test.each(bad)('what cannot be sent fails its call alone: %s', async (name) => {
    const { client, parse, log } = await open();
    client.call('give', [name], '1');
    expect(await parse(1)).toMatchObject({
      error: "An unexpected error occurred invoking 'give' on the server.",
    });
    expect(log.lines).toEqual(['hub method Values.give threw']);
    client.call('send', [name], '2');
    expect(await parse(2)).toMatchObject({
      error: "An unexpected error occurred invoking 'send' on the server.",
    });
    client.call('give', ['function'], '3');
    expect(await parse(3)).toMatchObject({ result: null });
  });

  test.each(good)('a stream goes on behind it: %s', async (name) => {
    const { client, parse } = await open();
    client.write(streamCallOf('items', name));
    expect(await parse(2)).toMatchObject({ type: 2, invocationId: '1' });
    expect(await parse(3)).toMatchObject({ type: 2, item: 2 });
  });

  test.each(bad)('a stream ends with it: %s', async (name) => {
    const { client, parse } = await open();
    client.write(streamCallOf('items', name));
    expect(await parse(1)).toMatchObject({ type: 2, item: 1 });
    const error = 'An error occurred on the server while streaming results.';
    expect(await parse(2)).toMatchObject({ type: 3, error });
  });

  test('BigInts go both ways where the hub says so', async () => {
    const { client, parse } = await open({ useBigInt: true });
    client.call('give', ['bigint'], '1');
    expect(await parse(1)).toMatchObject({ result: [1] });
    const large = inJson ? '9007199254740993' : 'cf0020000000000001';
    client.write(callOf('echo', large));
    await client.bytes(2);
    expect(Buffer.from(client.written[2]!.payload).toString('hex')).toContain(
      inJson ? Buffer.from(large).toString('hex') : large,
    );
  });

  test('an integer that no number keeps fails its call alone, and is said once', async () => {
    const { client, parse, log } = await open({ enableDetailedErrors: true });
    for (const id of [1, 2]) {
      client.write(callOf('echo', inJson ? '9007199254740993' : 'cf0020000000000001', id));
      expect(await parse(id)).toMatchObject({
        invocationId: String(id),
        error:
          "Failed to invoke 'echo' due to an error on the server. InvalidDataException: 9007199254740993 has more digits than a number keeps: turn on the hub's option useBigInt.",
      });
    }
    client.call('echo', [1], '3');
    expect(await parse(3)).toMatchObject({ result: [1] });
    expect(log.lines).toEqual([
      "hub 'chat': a call of 'echo' was refused: 9007199254740993 has more digits than a number keeps: turn on the hub's option useBigInt.",
    ]);
  });

  /** A call whose one argument has these bytes, in hex, or this text. */
  function callOf(target: string, argument: string, id = 1, type = 1): Uint8Array {
    if (inJson) {
      const call = `{"type":${type},"invocationId":"${id}","target":"${target}","arguments":[${argument}]}`;
      return Buffer.from(`${call}\x1e`);
    }
    const name = Buffer.from(target).toString('hex');
    const body = Buffer.from(`950${type}80a13${id}a${target.length}${name}91${argument}`, 'hex');
    return Buffer.concat([Buffer.from([body.length]), body]);
  }

  function streamCallOf(target: string, argument: string): Uint8Array {
    const text = inJson
      ? `"${argument}"`
      : Buffer.from([0xa0 + argument.length, ...Buffer.from(argument)]).toString('hex');
    return callOf(target, text, 1, 4);
  }
});

describe('of a client', () => {
  const inexact = '9007199254740993';

  test('an item that cannot be read ends its upload, for which the method gets the error', async () => {
    const { trunk } = await serve(Values, { enableDetailedErrors: true });
    const client = trunk.open();
    client.json({ type: 1, invocationId: '1', target: 'collect', arguments: [], streamIds: ['u'] });
    client.json({ type: 2, invocationId: 'u', item: 1 });
    client.write(Buffer.from(`{"type":2,"invocationId":"u","item":${inexact}}\x1e`));
    expect(await client.text(1)).toContain(
      `Failed to bind Stream message. InvalidDataException: ${inexact} has more digits`,
    );
    client.call('echo', [1], '2');
    expect(await client.text(2)).toContain('"result":[1]');
  });

  test('an answer that cannot be read is an error for who asked', async () => {
    const { trunk } = await serve(Values, { maximumParallelInvocationsPerClient: 2 });
    const client = trunk.open();
    client.call('ask', [], '1');
    await client.text(0);
    const { invocationId: asked } = await trunk.next(MessageType.ClientInvocation);
    client.write(Buffer.from(`{"type":3,"invocationId":"${asked}","result":${inexact}}\x1e`));
    expect(await client.text(1)).toContain(`${inexact} has more digits than a number keeps`);
  });
});

test('a client method is named by a string', async () => {
  const { hub } = await serve(Values);
  expect(() => hub.clients.all.send(undefined as never)).toThrow(
    "a client's method is named by a string, not by undefined",
  );
  expect(() =>
    hub.clients
      .client('c')
      .invoke()
      .send(7 as never),
  ).toThrow('not by number');
});
