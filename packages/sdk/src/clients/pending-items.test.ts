import { describe, expect, test } from 'vitest';
import * as z from 'zod';

import { until } from '../fake-service.test-support.ts';
import type { FakeClient } from '../fake-service.test-support.ts';
import { serve } from '../harness.test-support.ts';
import type { ServeOptions } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import type { HubMethods } from '../hubs/hub-methods.ts';

/** Items of uploads that no method has read yet: they wait for methods as records behind calls do. */

class Reader extends Hub {
  static readonly methods = {
    hold: { uploads: 1 },
    holdTexts: { uploads: [z.string()] },
    holdAny: { uploads: [z.unknown()] },
    count: { uploads: 1 },
  } as const satisfies HubMethods<Reader>;
  /** Each lets one `hold` read on: all there is, or not an item. */
  static ends: ((read: boolean) => void)[] = [];

  async hold(items: AsyncIterable<unknown>): Promise<number> {
    const read = await new Promise<boolean>((resolve) => void Reader.ends.push(resolve));
    return read ? this.count(items) : 0;
  }
  holdTexts(items: AsyncIterable<string>): Promise<number> {
    return this.hold(items);
  }
  holdAny(items: AsyncIterable<unknown>): Promise<number> {
    return this.hold(items);
  }
  async count(items: AsyncIterable<unknown>): Promise<number> {
    let count = 0;
    for await (const _ of items) count++;
    return count;
  }
}

async function served(options: ServeOptions) {
  Reader.ends = [];
  return serve(Reader, options);
}

/** Starts a call that does not read what it gets, and waits until it runs. */
async function holding(client: FakeClient, target = 'hold'): Promise<void> {
  const running = Reader.ends.length;
  call(client, target);
  await until(() => Reader.ends.length > running, 'a call that holds');
}

function call(client: FakeClient, target: string): void {
  client.json({ type: 1, invocationId: 'h', target, arguments: [], streamIds: ['u'] });
}

/** Resolves when everything that has been sent so far is dealt with, or waits. */
async function arrived({ connection }: FakeClient): Promise<void> {
  const witness = connection.open({ id: 'witness' });
  witness.call('none');
  await witness.text(1);
  witness.close();
}

const item = (client: FakeClient, bytes: number): void =>
  client.json({ type: 2, invocationId: 'u', item: 'x'.repeat(bytes) });

const finish = (client: FakeClient): void => client.json({ type: 3, invocationId: 'u' });

const closed = '{"type":7,"error":"Connection closed with an error.","allowReconnect":true}';
const result = (count: number) => `{"type":3,"invocationId":"h","result":${count}}`;

describe.each(['hold', 'holdTexts'])('unread items of %s', (target) => {
  test('close their client when they are more than one may have waiting', async () => {
    const { trunk, log } = await served({ maximumPendingBytes: 5000 });
    const [client, other] = [trunk.open(), trunk.open({ id: 'c2' })];
    await holding(client, target);
    await holding(other, target);
    for (const one of [client, other]) for (let n = 0; n < 3; n++) item(one, 1500);
    item(client, 1500);
    await client.released();
    expect(client.texts.at(-1)).toBe(closed);
    expect(log.lines).toEqual([
      'client c1 is closed: More than 5000B are waiting for a hub method.',
    ]);
    finish(other);
    for (const end of Reader.ends) end(true);
    expect(await other.text(1)).toBe(result(3));
  });

  test('close who has most when all together have too much, and nobody else', async () => {
    const { trunk, log } = await served({ server: { maximumTotalPendingBytes: 10_000 } });
    const clients = ['greedy', 'c2', 'c3'].map((id) => trunk.open({ id }));
    const [greedy, second, third] = clients as [FakeClient, FakeClient, FakeClient];
    for (const client of clients) await holding(client, target);
    for (let n = 0; n < 4; n++) item(greedy, 1500);
    for (const client of [second, third, second]) item(client, 1500);
    await greedy.released();
    expect(greedy.texts.at(-1)).toBe(closed);
    expect(log.lines).toEqual([
      'client greedy is closed: More than this server keeps for all clients is waiting for hub methods, and of this client the most.',
    ]);
    // What it had makes room.
    for (let n = 0; n < 2; n++) item(third, 1500);
    await arrived(third);
    for (const client of [second, third]) finish(client);
    for (const end of Reader.ends) end(true);
    expect([await second.text(1), await third.text(1)]).toEqual([result(2), result(3)]);
  });
});

type Round = (client: FakeClient, end: (read: boolean) => void) => unknown;

describe('items make room', () => {
  test.each<[string, Round]>([
    [
      'they are read',
      async (client, end) => {
        end(true);
        finish(client);
        expect(await client.text(1)).toBe(result(3));
      },
    ],
    [
      'their method ends without reading them',
      async (client, end) => {
        end(false);
        expect(await client.text(1)).toBe(result(0));
      },
    ],
    ['their client goes, though its method does not end', (client) => client.close()],
  ])('when %s', async (_what, round) => {
    const { trunk, log } = await served({ server: { maximumTotalPendingBytes: 6000 } });
    for (let turn = 0; turn < 5; turn++) {
      const client = trunk.open({ id: `c${turn}` });
      await holding(client);
      for (let n = 0; n < 3; n++) item(client, 1500);
      await arrived(client);
      await round(client, Reader.ends.at(-1)!);
    }
    expect(log.lines).toEqual([]);
  });

  test('at once, where a method waits for them', async () => {
    const { trunk, log } = await served({ maximumPendingBytes: 1000 });
    const client = trunk.open();
    await client.text(0);
    call(client, 'count');
    await arrived(client);
    for (let n = 0; n < 20; n++) {
      item(client, 900);
      client.call('none', [], `${n}`);
      await client.text(n + 1);
    }
    finish(client);
    expect(await client.text(21)).toBe(result(20));
    expect(log.lines).toEqual([]);
  });
});

describe('values weigh what they take, and not what they were sent as', () => {
  /** An item of so many empty maps, of one byte each. */
  const maps = (client: FakeClient, count: number): void => {
    const item = Buffer.from([0xdd, 0, 0, count >> 8, count & 0xff, ...Array(count).fill(0x80)]);
    const body = Buffer.concat([Buffer.from([0x94, 2, 0x80, 0xa1, 0x75]), item]);
    client.write(Buffer.from([(body.length & 0x7f) | 0x80, body.length >> 7, ...body]));
  };
  const holdAll = (client: FakeClient, target: string): void => {
    const call = [0x96, 1, 0x80, 0xa1, 0x68, 0xa0 | target.length, ...Buffer.from(target), 0x90];
    client.write(Buffer.from([call.length + 3, ...call, 0x91, 0xa1, 0x75]));
  };

  test.each(['hold', 'holdAny'])('unread in %s', async (target) => {
    const { trunk, log } = await served({ maximumPendingBytes: 100_000 });
    const client = trunk.open({ protocol: 'messagepack' });
    await client.bytes(0);
    holdAll(client, target);
    await until(() => Reader.ends.length > 0, 'the call');
    maps(client, 1000);
    maps(client, 1000);
    await client.released();
    expect(log.lines.at(-1)).toBe(
      'client c1 is closed: More than 100000B are waiting for a hub method.',
    );
  });
});

test('an item for which there is no place counts once', async () => {
  const { trunk, log } = await served({
    streamBufferCapacity: 1,
    server: { maximumTotalPendingBytes: 4000 },
  });
  const client = trunk.open();
  await holding(client);
  for (let n = 0; n < 2; n++) item(client, 1500);
  await arrived(client);
  finish(client);
  Reader.ends[0]!(true);
  expect(await client.text(1)).toBe(result(2));
  expect(log.lines).toEqual([]);
});
