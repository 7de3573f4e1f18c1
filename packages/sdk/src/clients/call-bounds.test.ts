import { describe, expect, test } from 'vitest';

import { until } from '../fake-service.test-support.ts';
import type { FakeClient } from '../fake-service.test-support.ts';
import { serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import { hubSettings } from '../options.ts';

/** What clients may have a hub do, and what they may not: effects count, whatever the answer is. */

class Rooms extends Hub {
  static readonly methods = {
    enter: {},
    only: { parameters: 1 },
    watch: {},
    stuck: {},
    gather: { uploads: 1 },
    ask: {},
  };
  static entered: unknown[] = [];
  static ends: (() => void)[] = [];

  enter(room: unknown): string {
    Rooms.entered.push(room);
    return 'in';
  }
  only(to: unknown, unchecked = false): string {
    Rooms.entered.push([to, unchecked]);
    return 'done';
  }
  async *watch(): AsyncGenerator<number> {
    Rooms.entered.push('watch');
    yield 1;
    const { signal } = this;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }
  /** Does not listen to its signal. */
  async *stuck(): AsyncGenerator<number> {
    await new Promise<void>((resolve) => void Rooms.ends.push(resolve));
    yield 1;
  }
  async gather(items: AsyncIterable<unknown>): Promise<number> {
    Rooms.entered.push('gather');
    let count = 0;
    for await (const _item of items) count++;
    return count;
  }
  async ask(): Promise<unknown> {
    return this.clients.caller.invoke({ timeout: Infinity }).send('confirm');
  }
}

const MEBIBYTE = 1024 * 1024;

async function served(options: { maximumRunningCallsPerClient?: number } = {}) {
  Rooms.entered = [];
  Rooms.ends = [];
  const { trunk } = await serve(Rooms, options);
  return { trunk, client: trunk.open() };
}

interface Call {
  type?: 1 | 4;
  args?: unknown[];
  streamIds?: string[];
  id?: string;
}

function call(client: FakeClient, target: string, options: Call = {}): void {
  const { type = 1, args = [], streamIds, id = '1' } = options;
  client.json({ type, invocationId: id, target, arguments: args, streamIds });
}

const refused = (error: string, invocationId = '1') =>
  JSON.stringify({ type: 3, invocationId, error });

describe('what does not run', () => {
  const asStream = (target: string) =>
    `The client attempted to invoke the non-streaming '${target}' method with a streaming invocation.`;
  const streams = (sent: number, expected: number, target = 'enter') =>
    `An unexpected error occurred invoking '${target}' on the server. HubException: Client sent ${sent} stream(s), Hub method expects ${expected}.`;
  const notBound = "Failed to invoke 'only' due to an error on the server.";

  test.each<[string, string, Call, string]>([
    ['an ordinary method asked for a stream', 'enter', { type: 4, args: ['a'] }, asStream('enter')],
    [
      'the same with a stray stream',
      'enter',
      { type: 4, streamIds: ['s'], args: ['a'] },
      asStream('enter'),
    ],
    ['a stray stream', 'enter', { args: ['a'], streamIds: ['s'] }, streams(1, 0)],
    ['two where there is one', 'gather', { streamIds: ['a', 'b'] }, streams(2, 1, 'gather')],
    ['none where there is one', 'gather', {}, streams(0, 1, 'gather')],
    ['an upload asked for a stream', 'gather', { type: 4, streamIds: ['a'] }, asStream('gather')],
    [
      'a streaming method that is called',
      'watch',
      {},
      "The client attempted to invoke the streaming 'watch' method with a non-streaming invocation.",
    ],
    ['an argument that is not declared', 'only', { args: ['you', true] }, notBound],
  ])('%s', async (_what, target, options, error) => {
    const { client } = await served();
    call(client, target, options);
    expect(await client.text(1)).toBe(refused(error));
    expect(Rooms.entered).toEqual([]);
  });

  test('a stream in the place of an argument', async () => {
    const { client } = await served();
    call(client, 'enter', { streamIds: ['s'] });
    expect(await client.text(1)).toBe(
      refused("Failed to invoke 'enter' due to an error on the server."),
    );
    expect(Rooms.entered).toEqual([]);
  });

  test('a call with all the streams that fit in a message, of which no item is heard', async () => {
    const { client } = await served();
    const streamIds = Array.from({ length: MEBIBYTE / 10 }, (_, n) => n.toString(36));
    call(client, 'gather', { streamIds });
    expect(await client.text(1)).toBe(refused(streams(streamIds.length, 1, 'gather')));
    client.json({ type: 2, invocationId: '0', item: 1 });
    call(client, 'only', { args: ['you'] });
    expect(await client.text(2)).toContain('"done"');
  });
});

describe('calls of one client', () => {
  const tooMany = (target: string, limit: number) =>
    `Failed to invoke '${target}' due to an error on the server. HubException: ${limit} calls of this client are running, which is the most it may have.`;

  test('are refused beyond a bound, whatever they are, and not those of others', async () => {
    const { trunk, client } = await served({ maximumRunningCallsPerClient: 3 });
    call(client, 'watch', { type: 4, id: 'a' });
    call(client, 'gather', { streamIds: ['s'], id: 'b' });
    call(client, 'ask', { id: 'c' });
    const { invocationId } = await trunk.next(34);
    for (const [target, type, streamIds] of [
      ['watch', 4, []],
      ['gather', 1, ['t']],
      ['enter', 1, []],
    ] as const) {
      const written = client.written.length;
      call(client, target, {
        type,
        streamIds: [...streamIds],
        args: target === 'enter' ? [1] : [],
      });
      expect(await client.text(written)).toBe(refused(tooMany(target, 3)));
    }
    expect(Rooms.entered).toEqual(['watch', 'gather']);
    const other = trunk.open({ id: 'c2' });
    call(other, 'enter', { args: ['a'] });
    expect(await other.text(1)).toContain('"in"');
    client.json({ type: 3, invocationId, result: 1 });
    await until(() => client.texts.some((text) => text.includes('"c"')), 'the answer');
    call(client, 'enter', { args: ['a'], id: 'd' });
    await until(() => client.texts.some((text) => text.includes('"in"')), 'the next call');
  });

  test('count until nothing of them runs, cancelled or not', async () => {
    const { client } = await served({ maximumRunningCallsPerClient: 2 });
    for (const id of ['a', 'b']) {
      call(client, 'stuck', { type: 4, id });
      client.json({ type: 5, invocationId: id });
    }
    await client.text(2);
    call(client, 'enter', { args: ['a'] });
    expect(await client.text(3)).toBe(refused(tooMany('enter', 2)));
    Rooms.ends[0]!();
    await until(() => {
      call(client, 'enter', { args: ['a'] });
      return Rooms.entered.length > 0;
    }, 'a call that runs');
  });

  test('that are over leave their place, however they ended', async () => {
    const { client } = await served({ maximumRunningCallsPerClient: 2 });
    for (let turn = 0; turn < 10; turn++) {
      call(client, 'watch', { type: 4, id: 'w' });
      client.json({ type: 5, invocationId: 'w' });
      call(client, 'gather', { streamIds: ['s'], id: 'g' });
      client.json({ type: 3, invocationId: 's' });
      await until(
        () => client.texts.filter((text) => text.includes('"g"')).length > turn,
        'an end',
      );
      await until(
        () => client.texts.filter((text) => text.includes('3,"invocationId":"w"')).length > turn,
        'an end',
      );
    }
    expect(client.texts.filter((text) => text.includes('"error"'))).toEqual([]);
  });

  test('are as many as may run side by side at the least', () => {
    expect(hubSettings({}, {}).maximumRunningCallsPerClient).toBe(256);
    const parallel = { maximumParallelInvocationsPerClient: 1000 };
    expect(hubSettings({}, parallel).maximumRunningCallsPerClient).toBe(1000);
  });
});
