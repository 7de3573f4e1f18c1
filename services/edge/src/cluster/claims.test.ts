import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryBroker } from '../bus/memory-bus.ts';
import type { Post } from '../ports/listener.ts';
import { FakeExchange } from '../sessions/fake-exchange.test-support.ts';
import { requestWith, tokenFor } from '../sessions/client/visits.test-support.ts';
import type { FakeServer } from '../sessions/fixtures.test-support.ts';
import { JSON_HANDSHAKE } from '../sessions/fixtures.test-support.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import type { Offer } from './claims.test-support.ts';
import { clientAt, landAt, negotiateAt, openedFrom, statusOf } from './claims.test-support.ts';
import type { Member } from './cluster-member.test-support.ts';
import { join, joinMute, roundTrip, settle } from './cluster-member.test-support.ts';

/** Where ids are given out, and two edges at which clients connect with them. */
let home: Member;
let b: Member;
let c: Member;
let broker: MemoryBroker;
/** At the second edge. */
let server: FakeServer;

beforeEach(async () => {
  broker = new MemoryBroker(SYSTEM_TIME);
  [home, b, c] = [join(broker, 'home'), join(broker, 'b'), join(broker, 'c')];
  await settle(home, b, c);
  server = await b.edge.server({ serverId: 'server-b' });
  await c.edge.server({ serverId: 'server-c' });
  await roundTrip();
});

/** It is killed: nobody is told, and after a while it counts as gone. */
async function killHome(): Promise<void> {
  home.loses = '';
  for (const { edge } of [b, c]) edge.pass(1);
  await roundTrip();
  for (let second = 0; second < 3; second++) {
    // Each hears the other, and nobody hears the home.
    for (const { edge } of [b, c]) edge.pass(1);
    await roundTrip();
  }
}

const sizes = (): number[] => [home, b, c].map(({ edge }) => edge.context.clients.size);

describe('CLUSTER 1.7, no stickiness: a WebSocket with an id of another edge', () => {
  test('connects, is served, and is forgotten at its end', async () => {
    const offer = negotiateAt(home);
    expect(sizes()).toEqual([1, 0, 0]);
    const client = await clientAt(b, server, offer);
    expect(client.id).toBe(offer.id);
    // The home has its slot for somebody else, and the owner counts it.
    expect(sizes()).toEqual([0, 1, 0]);
    client.says('{"type":6}␞{"type":1,"target":"f","arguments":[]}␞');
    expect(await server.heard()).toContainEqual(expect.arrayContaining(['data', offer.id]));
    server.data(client, '{"type":1,"target":"g","arguments":[]}␞');
    expect(client.heard).toEqual(['{"type":1,"target":"g","arguments":[]}␞']);
    expect(b.stats.claims.granted).toBe(1);
    client.socket.leave(1000);
    expect(sizes()).toEqual([0, 0, 0]);
  });

  test('has what was posted at its home before it', async () => {
    const offer = negotiateAt(home);
    const exchange = new FakeExchange();
    const request = requestWith(
      tokenFor(home.edge, { userId: 'ann' }),
      `hub=chat&id=${offer.connectionToken}`,
    );
    const post = home.edge.doors.send({ ...request, method: 'POST' }, exchange);
    (post as Post).take(Buffer.from(JSON_HANDSHAKE.replace('␞', '\x1e')));
    const upgrade = landAt(b, offer);
    await roundTrip();
    openedFrom(upgrade);
    await roundTrip();
    expect(await server.heard()).toContainEqual(expect.arrayContaining(['open', offer.id]));
  });

  test('of negotiate version 0 connects as long as its home is there to vouch for it', async () => {
    const [now, later] = [negotiateAt(home, 'ann', 0), negotiateAt(home, 'ann', 0)];
    expect((await clientAt(b, server, now)).id).toBe(now.id);
    await killHome();
    const upgrade = landAt(b, later);
    await roundTrip();
    expect(statusOf(upgrade)).toBe(404);
  });

  test.each([
    ['of another user', (offer: Offer) => ({ ...offer, userId: 'ben' })],
    [
      'with another signature',
      (offer: Offer) => ({ ...offer, connectionToken: `${offer.id}.1.x` }),
    ],
    ['bare', (offer: Offer) => ({ ...offer, connectionToken: offer.id })],
  ])('%s is refused, and the id is still good', async (_, other) => {
    const offer = negotiateAt(home);
    const wrong = landAt(b, other(offer));
    await roundTrip();
    expect(statusOf(wrong)).toBe(404);
    expect((await clientAt(b, server, offer)).id).toBe(offer.id);
  });
});

describe('CLUSTER 1.6, at most once: an id', () => {
  test('is given to one of two that come at once at different edges', async () => {
    const offer = negotiateAt(home);
    const both = [landAt(b, offer), landAt(c, offer)];
    await roundTrip();
    expect(both.map(statusOf)).toEqual([101, 404]);
    expect(c.stats.claims.refused).toBe(1);
    expect(sizes()).toEqual([0, 1, 0]);
  });

  test('is in use at its owner, unknown at its home and elsewhere', async () => {
    const offer = negotiateAt(home);
    const first = landAt(b, offer);
    // The same edge, while it asks.
    expect(statusOf(landAt(b, offer))).toBe(409);
    await roundTrip();
    openedFrom(first);
    const again = [landAt(b, offer), landAt(home, offer), landAt(c, offer)];
    await roundTrip();
    expect(again.map(statusOf)).toEqual([409, 404, 404]);
  });

  test('that is used at its home is in use there, for others too', async () => {
    const offer = negotiateAt(home);
    openedFrom(landAt(home, offer));
    const again = landAt(b, offer);
    await roundTrip();
    expect(statusOf(again)).toBe(409);
    expect(sizes()).toEqual([1, 0, 0]);
  });

  test('is used up by a peer that goes while the home is asked, and leaves nothing behind', async () => {
    const offer = negotiateAt(home);
    const upgrade = landAt(b, offer);
    upgrade.gone!();
    await roundTrip();
    expect(upgrade.verdict).toBeUndefined();
    expect(b.stats.claims.abandoned).toBe(1);
    expect(sizes()).toEqual([0, 0, 0]);
    const again = landAt(c, offer);
    await roundTrip();
    expect(statusOf(again)).toBe(404);
  });

  test('takes none of the places that --max-connections leaves', async () => {
    const full = join(broker, 'full', { limits: { connections: 1 } });
    await settle(home, b, c, full);
    const upgrades = [landAt(full, negotiateAt(home)), landAt(full, negotiateAt(home))];
    await roundTrip();
    expect(upgrades.map(statusOf)).toEqual([101, 503]);
  });
});

describe('CLUSTER 1.4, nobody waits for a dead edge: where the home is gone', () => {
  test('the word of the token is taken, once', async () => {
    const offer = negotiateAt(home);
    await killHome();
    const first = landAt(b, offer);
    await roundTrip();
    openedFrom(first);
    const again = [landAt(b, offer), landAt(c, offer)];
    await roundTrip();
    expect(again.map(statusOf)).toEqual([409, 404]);
    expect(b.stats.claims.taken_over).toBe(1);
  });

  test('and two edges want the id at once, one of them gets it', async () => {
    const offer = negotiateAt(home);
    await killHome();
    const both = [landAt(c, offer), landAt(b, offer)];
    await roundTrip();
    expect(both.map(statusOf)).toEqual([409, 101]);
  });

  test('an id that was used before that is refused', async () => {
    const offer = negotiateAt(home);
    const client = await clientAt(b, server, offer);
    client.socket.leave(1000);
    await killHome();
    const again = [landAt(b, offer), landAt(c, offer)];
    await roundTrip();
    expect(again.map(statusOf)).toEqual([404, 404]);
  });

  test('a token that is not good any more is refused', async () => {
    const offer = negotiateAt(home);
    await killHome();
    for (let second = 0; second < 15; second++) {
      for (const { edge } of [b, c]) edge.pass(1);
      await roundTrip();
    }
    const upgrade = landAt(b, offer);
    await roundTrip();
    expect(statusOf(upgrade)).toBe(404);
  });

  test('a WebSocket that waits for it goes on when it is given up', async () => {
    const offer = negotiateAt(home);
    home.loses = '';
    const upgrade = landAt(b, offer);
    await roundTrip();
    expect(statusOf(upgrade)).toBeUndefined();
    await killHome();
    expect(statusOf(upgrade)).toBe(101);
  });

  test('and comes back, it knows which of its ids are used up', async () => {
    const [offer, other] = [negotiateAt(home), negotiateAt(home)];
    await killHome();
    openedFrom(await landed(b, offer));
    home.loses = undefined;
    home.edge.pass(1);
    await roundTrip();
    expect(statusOf(landAt(home, offer))).toBe(404);
    expect(statusOf(landAt(home, other))).toBe(101);
    expect(sizes()).toEqual([1, 1, 0]);
  });

  async function landed(member: Member, offer: Offer): Promise<ReturnType<typeof landAt>> {
    const upgrade = landAt(member, offer);
    await roundTrip();
    return upgrade;
  }
});

test('an edge that has not heard who is there yet takes no word', async () => {
  const offer = negotiateAt(home);
  const late = join(broker, 'late');
  const upgrade = landAt(late, offer);
  await roundTrip();
  expect(statusOf(upgrade)).toBe(503);
  expect(late.stats.claims.unanswered).toBe(1);
});

test('before the first id goes elsewhere all others know that it may, two seconds at most', async () => {
  const mute = joinMute(broker);
  mute.sayThatItIsThere();
  await roundTrip();
  const upgrade = landAt(b, negotiateAt(home));
  await roundTrip();
  expect(statusOf(upgrade)).toBeUndefined();
  home.edge.pass(1);
  await roundTrip();
  expect(statusOf(upgrade)).toBeUndefined();
  home.edge.pass(1.5);
  await roundTrip();
  expect(statusOf(upgrade)).toBe(101);
  // Later ones do not wait.
  const next = landAt(b, negotiateAt(home));
  await roundTrip();
  expect(statusOf(next)).toBe(101);
});
