import { describe, expect, test } from 'vitest';

import { until } from '../fake-service.test-support.ts';
import type { FakeClient } from '../fake-service.test-support.ts';
import { serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';

/** What waits behind clients' calls, all of it together. */

class Slow extends Hub {
  static readonly methods = ['block', 'echo'];
  static ends: (() => void)[] = [];
  block(): Promise<void> {
    return new Promise((resolve) => void Slow.ends.push(resolve));
  }
  echo(text: string): number {
    return text.length;
  }
}

const TOTAL = 10_000;

async function served(names: readonly string[]) {
  Slow.ends = [];
  const { trunk, log } = await serve(Slow, { server: { maximumTotalPendingBytes: TOTAL } });
  const clients = names.map((id) => trunk.open({ id }));
  for (const [at, client] of clients.entries()) {
    client.call('block');
    await until(() => Slow.ends.length > at, 'a call that blocks');
  }
  return { trunk, log, clients };
}

const wait = (client: FakeClient, bytes: number): void =>
  client.call('echo', ['x'.repeat(bytes)], 'w');

const closed = '{"type":7,"error":"Connection closed with an error.","allowReconnect":true}';

test('who has the most waiting is closed when all have too much, and nobody else', async () => {
  const { trunk, log, clients } = await served(['greedy', 'c2', 'c3']);
  const [greedy, second, third] = clients as [FakeClient, FakeClient, FakeClient];
  for (let n = 0; n < 4; n++) wait(greedy, 1500);
  wait(second, 1500);
  wait(third, 1500);
  wait(second, 1500);
  await greedy.released();
  expect(greedy.texts.at(-1)).toBe(closed);
  expect(log.lines).toEqual([
    'client greedy is closed: More than this server keeps for all clients is waiting for hub methods, and of this client the most.',
  ]);
  // The room is there again, and what waited for the others is served.
  for (let n = 0; n < 2; n++) wait(third, 1500);
  for (const end of Slow.ends) end();
  await until(() => second.texts.length === 4 && third.texts.length === 5, 'their answers');
  expect([...second.texts, ...third.texts].filter((text) => text.includes('error'))).toEqual([]);
  expect(trunk.closeCode).toBeUndefined();
});

test('who asks is closed when it has the most itself', async () => {
  const { clients } = await served(['c1', 'c2']);
  const [first, second] = clients as [FakeClient, FakeClient];
  wait(first, 2000);
  for (let n = 0; n < 8; n++) wait(second, 1500);
  await second.released();
  Slow.ends[0]!();
  expect(await first.text(2)).toContain('2000');
});

test('what has been served or dropped makes room', async () => {
  const { trunk, log } = await served([]);
  for (let turn = 0; turn < 5; turn++) {
    const ended = Slow.ends.length;
    const [leaves, stays] = [trunk.open({ id: `l${turn}` }), trunk.open({ id: `s${turn}` })];
    for (const client of [leaves, stays]) {
      client.call('block');
      for (let n = 0; n < 3; n++) wait(client, 1200);
    }
    await until(() => Slow.ends.length === ended + 2, 'calls that block');
    leaves.close();
    for (const end of Slow.ends) end();
    await until(() => stays.texts.length === 5, 'the answers');
    stays.close();
  }
  expect(log.lines).toEqual([]);
});

describe('a call that runs counts with what waits', () => {
  const block = async (client: FakeClient, bytes: number): Promise<void> => {
    await client.text(0);
    const running = Slow.ends.length;
    client.call('block', ['x'.repeat(bytes)]);
    await until(() => Slow.ends.length > running, 'a call that blocks');
  };

  test('and closes who has the most', async () => {
    const { trunk, log } = await served([]);
    const [greedy, other] = [trunk.open({ id: 'greedy' }), trunk.open({ id: 'c2' })];
    await block(greedy, 12_500);
    await block(other, 6000);
    await greedy.released();
    expect(greedy.texts.at(-1)).toBe(closed);
    for (const end of Slow.ends) end();
    expect(await other.text(1)).toContain('"result":null');
    expect(log.lines).toHaveLength(1);
  });

  test('by what its values take, and not by what they were sent as', async () => {
    const { trunk, log } = await served([]);
    const client = trunk.open();
    await client.text(0);
    client.call(
      'block',
      Array.from({ length: 300 }, () => ({})),
    );
    await client.released();
    expect(log.lines).toHaveLength(1);
  });

  test('until it ends', async () => {
    const { trunk, log } = await served([]);
    for (let turn = 0; turn < 5; turn++) {
      const client = trunk.open({ id: `c${turn}` });
      await block(client, 9000);
      Slow.ends.at(-1)!();
      await client.text(1);
    }
    expect(log.lines).toEqual([]);
  });

  test('or its client goes, though it does not end', async () => {
    const { trunk, log } = await served([]);
    for (let turn = 0; turn < 5; turn++) {
      const client = trunk.open({ id: `c${turn}` });
      await block(client, 9000);
      client.close();
    }
    expect(log.lines).toEqual([]);
  });
});

describe('what comes in pieces counts with what waits', () => {
  const half = (client: FakeClient, bytes: number) =>
    client.write(Buffer.from(`{"type":1,"target":"echo","arguments":["${'x'.repeat(bytes)}`));
  const rest = (client: FakeClient) => client.write(Buffer.from(`"],"invocationId":"p"}\x1e`));

  test('half a record', async () => {
    const { trunk, log } = await served([]);
    const [greedy, other] = [trunk.open({ id: 'greedy' }), trunk.open({ id: 'c2' })];
    half(greedy, 9000);
    half(other, 2000);
    await greedy.released();
    rest(other);
    expect(await other.text(1)).toContain('"result":2000');
    for (let turn = 0; turn < 5; turn++) {
      half(other, 6000);
      rest(other);
      expect(await other.text(turn + 2)).toContain('"result":6000');
    }
    expect(log.lines).toHaveLength(1);
  });

  test('what comes before the answer to a handshake', async () => {
    const admitted: ((yes: boolean) => void)[] = [];
    const { trunk } = await serve(Slow, {
      server: { maximumTotalPendingBytes: TOTAL },
      authorize: () => new Promise<boolean>((resolve) => void admitted.push(resolve)),
    });
    const [greedy, other] = [trunk.open({ id: 'greedy' }), trunk.open({ id: 'c2' })];
    for (let n = 0; n < 5; n++) wait(greedy, 1500);
    wait(other, 1500);
    wait(other, 1500);
    await greedy.released();
    expect(greedy.texts).toEqual(['{"error":"Handshake was canceled."}']);
    for (const admit of admitted) admit(true);
    expect(await other.text(2)).toContain('1500');
    const third = trunk.open({ id: 'c3' });
    for (let n = 0; n < 5; n++) wait(third, 1500);
    await until(() => admitted.length === 3, 'the question');
    admitted[2]!(true);
    expect(await third.text(5)).toContain('1500');
  });
});
