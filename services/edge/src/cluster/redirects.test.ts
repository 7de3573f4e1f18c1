import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryBroker } from '../bus/memory-bus.ts';
import type { ConnectionTable } from '../model/connection-table.ts';
import { admitted, requestWith, tokenFor } from '../sessions/client/visits.test-support.ts';
import { counted } from '../sessions/fixtures.test-support.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import type { Member } from './cluster-member.test-support.ts';
import { join, roundTrip, settle } from './cluster-member.test-support.ts';

const QUERY = 'hub=chat&a=%20b&negotiateVersion=1';

let broker: MemoryBroker;

beforeEach(() => (broker = new MemoryBroker(SYSTEM_TIME)));

/** Edges that know each other, with an app server at each unless told otherwise. */
async function edges(
  urls: Record<string, string>,
  withServers = Object.keys(urls),
): Promise<Member[]> {
  const members = Object.entries(urls).map(([id, publicUrl]) => join(broker, id, { publicUrl }));
  await settle(...members);
  for (const [n, id] of Object.keys(urls).entries()) {
    if (withServers.includes(id)) await members[n]!.edge.server({ serverId: `server-${id}` });
  }
  await settle(...members);
  return members;
}

function negotiated(
  { edge }: Member,
  query = QUERY,
  token: Parameters<typeof tokenFor>[1] = {},
): Record<string, unknown> & { status: number } {
  const accessToken = tokenFor(edge, { userId: 'ann', ...token });
  const { status, body } = edge.negotiate(requestWith(accessToken, query));
  return { status, ...(body === undefined ? {} : (JSON.parse(String(body)) as object)) };
}

const fill = (clients: ConnectionTable<never>, count: number): void => {
  for (let n = 0; n < count; n++) clients.reserve();
};

describe('a new client of an edge with a URL of its own', () => {
  test('is let in where nobody is better off', async () => {
    const [a] = await edges({ a: 'https://a.example', b: 'https://b.example' });
    expect(negotiated(a!)['connectionId']).toBeTypeOf('string');
  });

  test('is sent on by one that drains, once, with its query and token', async () => {
    const [a, b] = await edges({ a: 'https://a.example', b: 'https://b.example/' });
    a!.edge.core.draining.begin();
    const answer = negotiated(a!);
    expect(answer).toMatchObject({
      status: 200,
      url: `https://b.example/client/?${QUERY}&trunkline_sent_on=1`,
      availableTransports: [],
    });
    const { search, searchParams } = new URL(String(answer['url']));
    expect(searchParams.get('a')).toBe(' b');
    const request = requestWith(String(answer['accessToken']), search.slice(1));
    expect(b!.edge.negotiate(request).status).toBe(200);
    expect(admitted(b!.edge.connect(request)).userId).toBe('ann');
    expect(negotiated(a!, search.slice(1)).status).toBe(503);
    expect(counted(a!.edge.context.counters.negotiates)).toMatchObject({
      redirected: 1,
      unavailable: 1,
    });
  });

  test('is never sent to one that drains', async () => {
    const [a, b] = await edges({ a: 'https://a.example', b: 'https://b.example' });
    b!.edge.core.draining.begin();
    b!.edge.time.pass(50);
    await roundTrip();
    a!.edge.core.draining.begin();
    expect(negotiated(a!).status).toBe(503);
  });

  test('is sent nowhere behind a load balancer, whose edges have the same URL, or none', async () => {
    for (const url of ['https://one.example', '']) {
      broker = new MemoryBroker(SYSTEM_TIME);
      const [a] = await edges({ a: url, b: url });
      a!.edge.core.draining.begin();
      expect(negotiated(a!).status).toBe(503);
    }
    broker = new MemoryBroker(SYSTEM_TIME);
    const two = 'https://two.example';
    const [a] = await edges({ a: 'https://a.example', b: two, c: two });
    a!.edge.core.draining.begin();
    expect(negotiated(a!).status).toBe(503);
  });

  test('is sent to the one with fewest clients, if those are far fewer', async () => {
    const urls = { a: 'https://a.example', b: 'https://b.example', c: 'https://c.example' };
    const members = await edges(urls);
    const [a, b, c] = members;
    fill(a!.edge.context.clients as never, 100);
    fill(b!.edge.context.clients as never, 60);
    fill(c!.edge.context.clients as never, 48);
    await settle(...members);
    // Each that is sent there counts, until that edge says how many it has.
    for (let n = 0; n < 3; n++) expect(negotiated(a!)['url']).toContain('https://c.example/');
    expect(negotiated(a!)['url']).toBeUndefined();
    await settle(...members);
    expect(negotiated(a!)['url']).toContain('https://c.example/');
  });

  test('is sent to one with an app server of its hub, where this one has none', async () => {
    const urls = { a: 'https://a.example', b: 'https://b.example' };
    const [a, b] = await edges(urls, ['b']);
    expect(negotiated(a!)['url']).toContain('https://b.example/');
    expect(negotiated(b!)['url']).toBeUndefined();
    expect(negotiated(a!, 'hub=other')['url']).toBeUndefined();
  });

  test('is sent to its own app server, and nowhere else if it requires that', async () => {
    const urls = { a: 'https://a.example', b: 'https://b.example', c: 'https://c.example' };
    const [a] = await edges(urls);
    const sentTo = (sticky: 'Preferred' | 'Required', serverName: string) =>
      negotiated(a!, QUERY, { system: { sticky, serverName } });
    for (const mode of ['Preferred', 'Required'] as const) {
      expect(sentTo(mode, 'server-a')['url']).toBeUndefined();
      expect(sentTo(mode, 'server-b')['url']).toContain('https://b.example/');
      expect(sentTo(mode, 'server-c')['url']).toContain('https://c.example/');
      expect(sentTo(mode, 'unknown')['url']).toBeUndefined();
    }
    a!.edge.core.draining.begin();
    expect(sentTo('Preferred', 'server-a')['url']).toBeTypeOf('string');
    expect(sentTo('Required', 'server-a').status).toBe(503);
    expect(sentTo('Required', 'server-c')['url']).toContain('https://c.example/');
  });
});
