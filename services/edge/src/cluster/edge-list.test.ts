import { MessageType } from '@trunkline/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryBroker } from '../bus/memory-bus.ts';
import type { FakeServer } from '../sessions/fixtures.test-support.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import type { Member } from './cluster-member.test-support.ts';
import { join, roundTrip, settle } from './cluster-member.test-support.ts';

const A = 'https://a.example';
const B = 'https://b.example/b=1';

let broker: MemoryBroker;

beforeEach(() => (broker = new MemoryBroker(SYSTEM_TIME)));

async function edges(urls: Record<string, string>): Promise<Member[]> {
  const members = Object.entries(urls).map(([id, publicUrl]) => join(broker, id, { publicUrl }));
  await settle(...members);
  return members;
}

const ask = (server: FakeServer): void =>
  server.says({ type: MessageType.Ping, entries: ['edges', ''] });

/** What it has been told of edges since it was looked at last. */
async function told(server: FakeServer): Promise<unknown[]> {
  const heard = await server.heard();
  return heard
    .filter(([kind, key]) => kind === 'ping' && key === 'edges')
    .map((ping) => ping.slice(2));
}

/** What an app server of this edge is told when it asks. */
async function answer({ edge }: Member): Promise<unknown[]> {
  const server = await edge.server();
  ask(server);
  return told(server);
}

describe('an app server that asks which edges there are', () => {
  test('hears of one that is alone, and of its URL', async () => {
    const [a] = await edges({ a: A });
    expect(await answer(a!)).toEqual([['a', 'others', '0', 'edge', `${A} a`, 'member', 'a']]);
    broker = new MemoryBroker(SYSTEM_TIME);
    const [b] = await edges({ b: '' });
    expect(await answer(b!)).toEqual([['b', 'others', '0', 'member', 'b']]);
  });

  test('hears of all, and of the URLs that lead to one edge alone', async () => {
    const [a, b] = await edges({
      a: A,
      b: B,
      c: 'https://lb.example',
      d: 'https://lb.example',
      e: '',
    });
    const urls = ['edge', `${A} a`, 'edge', `${B} b`];
    const members = ['a', 'b', 'c', 'd', 'e'].flatMap((id) => ['member', id]);
    expect(await answer(a!)).toEqual([['a', 'others', '4', ...urls, ...members]]);
    const [[, ...seen]] = (await answer(b!)) as [string[]];
    expect(seen.toSorted()).toEqual(['others', '4', ...urls, ...members].toSorted());
  });

  test('hears of no edge that is about to stop, from itself neither', async () => {
    const [a, b] = await edges({ a: A, b: B });
    const server = await b!.edge.server();
    ask(server);
    expect(await told(server)).toHaveLength(1);
    expect(await answer(a!)).toHaveLength(1);
    b!.edge.core.draining.begin();
    ask(server);
    const members = ['member', 'a', 'member', 'b'];
    expect(await told(server)).toEqual([['b', 'others', '1', 'edge', `${A} a`, ...members]]);
    b!.edge.time.pass(50);
    await roundTrip();
    expect(await answer(a!)).toEqual([['a', 'others', '0', 'edge', `${A} a`, ...members]]);
  });

  test('hears of changes, once a second at the most, and of nothing else', async () => {
    const [a] = await edges({ a: A });
    const server = await a!.edge.server();
    const other = await a!.edge.server();
    ask(server);
    expect(await told(server)).toHaveLength(1);
    const [b] = await edges({ b: B });
    const c = join(broker, 'c', { publicUrl: '' });
    await settle(b!, c);
    await roundTrip();
    expect(await told(server)).toEqual([]);
    a!.edge.passWith(server, 1);
    const members = ['a', 'b', 'c'].flatMap((id) => ['member', id]);
    const urls = ['edge', `${A} a`, 'edge', `${B} b`];
    expect(await told(server)).toEqual([['a', 'others', '2', ...urls, ...members]]);
    await b!.cluster.close();
    await roundTrip();
    a!.edge.passWith(server, 1);
    const left = ['member', 'a', 'member', 'c'];
    expect(await told(server)).toEqual([['a', 'others', '1', 'edge', `${A} a`, ...left]]);
    await settle(c);
    a!.edge.passWith(server, 1);
    expect(await told(server)).toEqual([]);
    expect(await told(other)).toEqual([]);
  });
});
