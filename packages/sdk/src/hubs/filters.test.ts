import { describe, expect, test } from 'vitest';

import { HubError } from '../errors.ts';
import { serve } from '../harness.test-support.ts';
import type { HubFilter } from './filters.ts';
import { Hub } from './hub.ts';

const events: string[] = [];

class Chat extends Hub {
  static readonly methods = { say: {}, fail: {}, count: {}, sum: { uploads: 1 } };

  override onConnected(): void {
    events.push('onConnected');
    if (this.context.query.has('refuse')) throw new HubError('full');
  }
  override onDisconnected(): void {
    events.push('onDisconnected');
  }
  say(text: string): string {
    events.push(`say ${text}`);
    return text;
  }
  fail(): never {
    throw new HubError('no');
  }
  async *count(to: number): AsyncGenerator<number> {
    for (let n = 1; n <= to; n++) yield n;
  }
  async sum(scale: number, numbers: AsyncIterable<number>): Promise<number> {
    let sum = 0;
    for await (const number of numbers) sum += number;
    return sum * scale;
  }
}

/** Notes when it is entered and left. */
function notes(name: string): HubFilter {
  const around = async <T>(what: string, next: () => Promise<T>): Promise<T> => {
    events.push(`${name} ${what}`);
    try {
      return await next();
    } finally {
      events.push(`${name} left`);
    }
  };
  return {
    invoke: ({ method }, next) => around(method, next),
    connected: (_lifetime, next) => around('connected', next),
    disconnected: (_lifetime, error, next) => around(`disconnected ${error?.message}`, next),
  };
}

async function serveWith(...filters: HubFilter[]) {
  events.length = 0;
  const harness = await serve(Chat, { filters });
  return { ...harness, client: harness.trunk.open() };
}

const result = (value: unknown) => JSON.stringify({ type: 3, invocationId: '1', result: value });

test("the server's wrap the hub's, and the first of each is outermost", async () => {
  events.length = 0;
  const { trunk } = await serve(Chat, {
    server: { filters: [notes('a'), notes('b')] },
    filters: [notes('c')],
  });
  const client = trunk.open();
  client.call('SAY', ['hi']);
  expect(await client.text(1)).toBe(result('hi'));
  client.json({ type: 7, error: 'bye' });
  await client.released();
  const inside = (what: string, middle: string) => [
    ...['a', 'b', 'c'].map((name) => `${name} ${what}`),
    middle,
    ...['c', 'b', 'a'].map((name) => `${name} left`),
  ];
  expect(events).toEqual([
    ...inside('connected', 'onConnected'),
    ...inside('say', 'say hi'),
    ...inside('disconnected bye', 'onDisconnected'),
  ]);
});

describe('a filter of calls', () => {
  test('changes arguments and results', async () => {
    const { client } = await serveWith({
      invoke: async ({ args }, next) => `<${String(await next([`${String(args[0])}!`]))}>`,
    });
    client.call('say', ['hi']);
    expect(await client.text(1)).toBe(result('<hi!>'));
    expect(events).toContain('say hi!');
  });

  test('hands changed arguments to the filters inside it', async () => {
    const { client } = await serveWith(
      { invoke: (_invocation, next) => next(['changed']) },
      { invoke: ({ args }, next) => (events.push(`seen ${args.join()}`), next()) },
    );
    client.call('say', ['hi']);
    expect(await client.text(1)).toBe(result('changed'));
    expect(events.slice(1)).toEqual(['seen changed', 'say changed']);
  });

  test('may answer itself', async () => {
    const { client } = await serveWith({ invoke: () => 'mine' });
    client.call('say', ['hi']);
    expect(await client.text(1)).toBe(result('mine'));
    expect(events).toEqual(['onConnected']);
  });

  test('may refuse, and turn errors into answers', async () => {
    const { client } = await serveWith({
      invoke: async ({ method, context }, next) => {
        if (method === 'say') throw new HubError(`not you, ${context.connectionId}`);
        return next().catch((error: Error) => `caught ${error.message}`);
      },
    });
    client.call('say', ['hi']);
    expect(await client.text(1)).toContain('HubException: not you, c1');
    client.call('fail');
    expect(await client.text(2)).toBe(result('caught no'));
  });

  test('has the hub object of the call', async () => {
    const { client } = await serveWith({
      invoke: ({ hub, context }) => hub instanceof Chat && hub.context === context,
    });
    client.call('say', ['hi']);
    expect(await client.text(1)).toBe(result(true));
  });

  test('gets a stream before its first item, and may change it', async () => {
    const { client } = await serveWith({
      async invoke(_invocation, next) {
        const numbers = (await next()) as AsyncIterable<number>;
        return (async function* () {
          for await (const number of numbers) yield number * 10;
        })();
      },
    });
    client.json({ type: 4, invocationId: '1', target: 'count', arguments: [2] });
    expect(await client.text(3)).toBe('{"type":3,"invocationId":"1"}');
    expect(client.texts.slice(1, 3).map((text) => (JSON.parse(text) as { item: 1 }).item)).toEqual([
      10, 20,
    ]);
  });

  test('sees uploads behind the other arguments', async () => {
    const { client } = await serveWith({
      invoke: ({ args }, next) => next([100, ...args.slice(1)]),
    });
    const call = { type: 1, invocationId: '1', target: 'sum', arguments: [1], streamIds: ['u'] };
    client.json(call);
    client.json({ type: 2, invocationId: 'u', item: 2 });
    client.json({ type: 3, invocationId: 'u' });
    expect(await client.text(1)).toBe(result(200));
  });
});

test('a filter need not await what it goes on with', async () => {
  const { client } = await serveWith({
    invoke: (_invocation, next) => {
      void next();
      return 'mine';
    },
    connected: (_lifetime, next) => void next(),
  });
  client.call('fail');
  expect(await client.text(1)).toBe(result('mine'));
  const { trunk } = await serveWith({ connected: (_lifetime, next) => void next() });
  const refused = trunk.open({ id: 'c2', queryString: '?refuse=1' });
  refused.call('say', ['hi']);
  expect(await refused.text(1)).toBe(result('hi'));
});

describe('a filter of connections', () => {
  const refusing = { queryString: '?refuse=1' };

  test('refuses one as onConnected does', async () => {
    const { trunk } = await serveWith({
      connected: ({ context }) => {
        if (context.query.has('refuse')) throw new HubError('closed today');
      },
      disconnected: () => void events.push('disconnected'),
    });
    const client = trunk.open({ id: 'c2', ...refusing });
    await client.released();
    expect(client.texts[1]).toBe(
      '{"type":7,"error":"Connection closed with an error. HubException: closed today"}',
    );
    expect(events).toEqual([]);
  });

  test('may swallow what onConnected throws', async () => {
    const { trunk } = await serveWith({ connected: (_lifetime, next) => next().catch(() => {}) });
    const client = trunk.open({ id: 'c2', ...refusing });
    client.call('say', ['hi']);
    expect(await client.text(1)).toBe(result('hi'));
  });

  test('may keep onDisconnected from running', async () => {
    const { client } = await serveWith({ disconnected: () => {} });
    client.json({ type: 7 });
    await client.released();
    expect(events).toEqual(['onConnected']);
  });
});
