import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryBroker } from '../bus/memory-bus.ts';
import type { Guest } from '../sessions/client/http/door.test-support.ts';
import { FakeExchange } from '../sessions/fake-exchange.test-support.ts';
import type { FakeServer } from '../sessions/fixtures.test-support.ts';
import {
  counted,
  JSON_HANDSHAKE,
  payloads,
  turn,
  usedOf,
} from '../sessions/fixtures.test-support.ts';
import { MessageType } from '@trunkline/protocol';
import { Pools } from '../pools.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import type { Member } from './cluster-member.test-support.ts';
import { join, roundTrip, settle } from './cluster-member.test-support.ts';

const KB = 1024;
const CALL = '{"type":1,"target":"a","arguments":[]}␞';
const news = (text: string): string => `{"type":1,"target":"news","arguments":["${text}"]}␞`;

/** The edge of every client here, and one where requests land. */
let home: Member;
let away: Member;
/** A third one. */
let third: Member;
let server: FakeServer;
let guest: Guest;
let broker: MemoryBroker;

beforeEach(async () => {
  broker = new MemoryBroker(SYSTEM_TIME);
  const limits = { clientQueueBytes: 1024 * KB };
  [home, away, third] = ['a', 'b', 'c'].map((edgeId) => join(broker, edgeId, { limits })) as [
    Member,
    Member,
    Member,
  ];
  await settle(home, away, third);
  server = await home.edge.server();
  await roundTrip();
  guest = home.edge.guest();
});

/** A client whose requests all land at the other edge, open; `kind` is its transport. */
async function open(kind: 'poll' | 'stream'): Promise<FakeExchange> {
  const first = away.edge[kind](guest);
  await roundTrip();
  expect(first.status).toBe(200);
  expect((await posted(JSON_HANDSHAKE)).status).toBe(200);
  server.data(guest, '{}␞');
  const welcomed = kind === 'poll' ? await polled() : first;
  await roundTrip();
  expect(welcomed.body).toContain('{}␞');
  await server.messages();
  return first;
}

async function posted(...pieces: readonly (string | Buffer)[]): Promise<FakeExchange> {
  const exchange = away.edge.postInPieces(guest, ...pieces);
  await roundTrip();
  return exchange;
}

async function polled(at = away): Promise<FakeExchange> {
  const exchange = at.edge.poll(guest);
  await roundTrip();
  return exchange;
}

async function pass(seconds: number, ...members: readonly Member[]): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    for (const { edge } of members) edge.pass(1);
    server.says({ type: MessageType.Ping, entries: [] });
    await roundTrip();
  }
}

const outcomes = (member: Pick<Member, 'stats'> = away): Record<string, number> =>
  counted(member.stats.relays);

/** Nobody holds anything, and nothing is under way. */
function expectNothingLeft(): void {
  for (const { edge, stats } of [home, away, third]) {
    for (const pool of ['relays', 'posts', 'posts_of_user', 'post_bytes'] as const) {
      expect([pool, usedOf(edge.context.pools, pool)]).toEqual([pool, 0]);
    }
    expect(stats.openRelays).toEqual({ poll: 0, stream: 0, post: 0, leave: 0 });
  }
}

describe('a client that polls through another edge', () => {
  test('connects, speaks, hears and leaves', async () => {
    await open('poll');
    expect((await posted(CALL)).answered).toMatchObject({ status: 200 });
    expect(await server.heard()).toEqual([['data', guest.id, CALL]]);
    const poll = await polled();
    expect(poll.status).toBeUndefined();
    server.data(guest, news('hello'));
    await roundTrip();
    expect(poll.answered).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect(poll.body).toBe(news('hello'));
    const leave = away.edge.leave(guest);
    await roundTrip();
    expect(leave.status).toBe(202);
    expect(await server.heard()).toEqual([['close', guest.id, '']]);
    expect((await polled()).status).toBe(404);
    expect(outcomes()).toEqual({ 'poll|answered': 4, 'post|answered': 2, 'leave|answered': 1 });
    expect(outcomes(home)).toEqual({});
    expectNothingLeft();
  });

  test('polls here and there, and what it posts anywhere comes in order', async () => {
    await open('poll');
    const hanging = await polled();
    const texts = ['one', 'two', 'three', 'four'].map(news);
    for (const [at, text] of texts.entries()) {
      const post = [home, away, third, away][at]!.edge.postInPieces(guest, text);
      await roundTrip();
      expect(post.status).toBe(200);
    }
    expect((await server.heard()).map(([, , text]) => text)).toEqual(texts);
    // The next poll ends the one that hangs.
    const next = await polled(third);
    expect(hanging.status).toBe(204);
    server.data(guest, news('x'));
    await roundTrip();
    expect(next.body).toBe(news('x'));
  });

  test('hangs for as long as at its own edge', async () => {
    await open('poll');
    const poll = await polled();
    await pass(89, home, away, third);
    expect(poll.status).toBeUndefined();
    await pass(2, home, away, third);
    expect(poll.status).toBe(200);
    expect(poll.body).toBe('');
  });

  test('gets an answer of many pieces whole', async () => {
    await open('poll');
    const text = news('x'.repeat(400 * KB));
    server.data(guest, text);
    const poll = away.edge.poll(guest);
    for (let n = 0; n < 5; n++) await roundTrip();
    expect(poll.wasEnded).toBe(true);
    expect(poll.body).toBe(text);
    expectNothingLeft();
  });

  test('gives its poll up, and comes with another', async () => {
    await open('poll');
    (await polled()).leave();
    await roundTrip();
    server.data(guest, news('kept'));
    await roundTrip();
    expect((await polled()).body).toBe(news('kept'));
    expect(outcomes()).toMatchObject({ 'poll|gone': 1 });
    expectNothingLeft();
  });
});

describe('a client of an event stream through another edge', () => {
  test('hears, speaks, and goes', async () => {
    const stream = await open('stream');
    expect(stream.answered!.headers).toMatchObject({ 'content-type': 'text/event-stream' });
    server.data(guest, news('hello'));
    await roundTrip();
    expect(stream.body).toBe(`:\r\ndata: {}␞\r\n\r\ndata: ${news('hello')}\r\n\r\n`);
    expect((await posted(CALL)).status).toBe(200);
    expect(await server.heard()).toEqual([['data', guest.id, CALL]]);
    stream.leave();
    await roundTrip();
    expect(await server.heard()).toEqual([['close', guest.id, '']]);
    expect(outcomes()).toMatchObject({ 'stream|gone': 1 });
    expectNothingLeft();
  });

  test('has no deadline', async () => {
    const stream = await open('stream');
    await pass(300, home, away, third);
    expect(stream.isOpen).toBe(true);
    server.data(guest, news('late'));
    await roundTrip();
    expect(stream.body).toContain('late');
  });

  test('ends when its app server closes it', async () => {
    const stream = await open('stream');
    server.closes(guest);
    await roundTrip();
    expect(stream.wasEnded).toBe(true);
    expect(outcomes()).toMatchObject({ 'stream|answered': 1 });
    expectNothingLeft();
  });

  test('that does not read holds up what is for it, and nobody else', async () => {
    const stream = await open('stream');
    const other = home.edge.guest();
    const quick = away.edge.stream(other);
    away.edge.postInPieces(other, JSON_HANDSHAKE);
    await roundTrip();
    server.data(other, '{}␞');
    stream.takes = false;
    for (let n = 0; n < 10; n++) {
      server.data(guest, news('x'.repeat(50 * KB)));
      await roundTrip();
    }
    const before = stream.body.length;
    expect(before).toBeGreaterThan(100 * KB);
    expect(before).toBeLessThan(200 * KB);
    server.data(other, news('quick'));
    await roundTrip();
    expect(quick.body).toContain('quick');
    stream.drain();
    for (let n = 0; n < 10; n++) await roundTrip();
    expect(stream.body.length).toBeGreaterThan(500 * KB);
    expect(stream.body.match(/x\r\n|x"/g)).toHaveLength(10);
  });

  test('that does not read at all is cut, as at its own edge', async () => {
    const stream = await open('stream');
    stream.takes = false;
    for (let n = 0; n < 30; n++) {
      server.data(guest, news('x'.repeat(60 * KB)));
      await roundTrip();
    }
    expect(stream.wasCut).toBe(true);
    expect(home.edge.closes).toEqual({ SlowClient: 1 });
    expect(outcomes()).toMatchObject({ 'stream|cut': 1 });
    expectNothingLeft();
  });

  test('comes along with thousands of others without a loss on the bus', async () => {
    const streams: FakeExchange[] = [];
    const guests = Array.from({ length: 40 }, () => home.edge.guest());
    for (const one of guests) {
      streams.push(away.edge.stream(one));
      away.edge.postInPieces(one, JSON_HANDSHAKE);
    }
    await roundTrip();
    for (const one of guests) server.data(one, '{}␞');
    await roundTrip();
    const text = news('y'.repeat(60 * KB));
    const all = { type: MessageType.BroadcastData, excludedConnectionIds: [] as string[] } as const;
    let most = 0;
    server.says({ ...all, payloads: payloads({ json: text }) });
    for (let n = 0; n < 100; n++) {
      const before = home.sentBytes;
      await turn();
      most = Math.max(most, home.sentBytes - before);
    }
    for (const stream of streams) expect(stream.body).toContain('yyy');
    // 2.4 MB are for the other edge, and never more than a part of it at once.
    expect(most).toBeLessThan(1.2 * KB * KB);
  });
});

describe('posts', () => {
  test('come before the connection is made, too', async () => {
    expect((await posted(JSON_HANDSHAKE)).status).toBe(200);
    await polled();
    expect(await server.heard()).toEqual([
      ['open', guest.id, 'json'],
      ['data', guest.id, JSON_HANDSHAKE],
    ]);
  });

  test('in pieces come whole, and are held in one place', async () => {
    await open('poll');
    const exchange = new FakeExchange();
    const read = away.edge.beginReading(guest, exchange)!;
    const text = news('z'.repeat(60 * KB));
    for (let at = 0; at < text.length - 10_000; at += 10_000) {
      read(Buffer.from(text.slice(at, at + 10_000).replace('␞', '\x1e')), false);
      await roundTrip();
    }
    expect(usedOf(away.edge.context.pools, 'post_bytes')).toBe(0);
    expect(usedOf(home.edge.context.pools, 'post_bytes')).toBeGreaterThan(50 * KB);
    expect(exchange.status).toBeUndefined();
    const rest = text.slice(Math.floor((text.length - 1) / 10_000) * 10_000);
    read(Buffer.from(rest.replace('␞', '\x1e')), true);
    await roundTrip();
    expect(exchange.status).toBe(200);
    expect((await server.heard()).map(([, , said]) => said).join('')).toBe(text);
    expectNothingLeft();
  });

  test('over the longest are refused where they land', async () => {
    await open('poll');
    const exchange = await posted(Buffer.alloc(5 * KB * KB));
    expect(exchange.status).toBe(413);
    expect(outcomes()).toMatchObject({ 'post|gone': 1 });
    expectNothingLeft();
  });

  test('stop at the window while their owner does not hear', async () => {
    await open('poll');
    const exchange = new FakeExchange();
    const read = away.edge.beginReading(guest, exchange)!;
    away.loses = 'edge.b';
    for (let n = 0; n < 8; n++) {
      read(Buffer.alloc(64 * KB), false);
      await roundTrip();
    }
    expect(usedOf(home.edge.context.pools, 'post_bytes')).toBe(128 * KB);
    expect(usedOf(away.edge.context.pools, 'post_bytes')).toBe(384 * KB);
  });

  test('end where nobody takes them in time', async () => {
    await open('poll');
    const exchange = new FakeExchange();
    away.edge.beginReading(guest, exchange);
    await pass(31, away, home, third);
    expect(exchange.status).toBe(504);
    expect(outcomes()).toMatchObject({ 'post|timed_out': 1 });
    expectNothingLeft();
  });
});

describe('where there is no room', () => {
  test('for one user, what is more is refused, and others are not', async () => {
    const { edge, stats } = await withRoom({ share: 2, total: 10 });
    const polls = await pollsAt(edge, 'ann', 'ann', 'ann', 'ben');
    expect(polls.map(({ status }) => status)).toEqual([undefined, undefined, 503, undefined]);
    expect(outcomes({ stats })).toMatchObject({ 'poll|refused': 1 });
  });

  test('at all, who has most gives way', async () => {
    const { edge, stats } = await withRoom({ share: 4, total: 4 });
    const polls = await pollsAt(edge, 'ann', 'ann', 'ann', 'ann', 'ben');
    expect(polls.map(({ status }) => status)).toEqual([503, 503, 503, 503, undefined]);
    expect(outcomes({ stats })).toMatchObject({ 'poll|refused': 4 });
    expect(usedOf(edge.context.pools, 'relays')).toBe(1);
  });

  const long = { a: 'x'.repeat(30 * KB) };
  const asStream = { accept: 'text/event-stream' };

  /** Requests that all land in one turn, and are for another edge. */
  function together(count: number, headers: Readonly<Record<string, string>>): FakeExchange[] {
    return Array.from({ length: count }, () => {
      const exchange = new FakeExchange();
      away.edge.doors.receive(away.edge.request(guest, headers), exchange);
      return exchange;
    });
  }

  const refusedOf = (exchanges: readonly FakeExchange[]): number =>
    exchanges.filter(({ status }) => status === 503).length;

  test('on the line, requests of any kind are refused until the other edge has heard those before', async () => {
    const before = away.sentBytes;
    const polls = together(300, long);
    expect(refusedOf(polls)).toBeGreaterThan(100);
    expect(away.sentBytes - before).toBeLessThan(4.1 * KB * KB);
    const [stream, post] = [away.edge.stream(guest), away.edge.postInPieces(guest, CALL)];
    const leave = away.edge.leave(guest);
    for (const { answered } of [stream, post, leave]) {
      expect(answered).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    }
    expect(outcomes()).toMatchObject({
      'poll|refused': refusedOf(polls),
      'stream|refused': 1,
      'post|refused': 1,
      'leave|refused': 1,
    });
    expect(usedOf(away.edge.context.pools, 'relays')).toBe(300 - refusedOf(polls));
    // The line to another edge is another one.
    const elsewhere = third.edge.guest();
    expect(away.edge.poll(elsewhere).status).toBeUndefined();
    await roundTrip();
    expect(refusedOf(together(1, { ...long, ...asStream }))).toBe(0);
  });

  test('on the line, thousands of small requests find it beside what fills that', async () => {
    home.loses = 'edge.';
    const before = away.sentBytes;
    for (let n = 0; n < 20; n++) {
      const read = away.edge.beginReading(home.edge.guest(), new FakeExchange())!;
      read(Buffer.alloc(64 * KB), false);
      read(Buffer.alloc(64 * KB), false);
    }
    expect(away.sentBytes - before).toBeLessThan(1.2 * KB * KB);
    expect(refusedOf(together(2_000, {}))).toBe(0);
  });

  async function withRoom(relays: { share: number; total: number }): Promise<Member> {
    const pools = new Pools({ relays });
    const edge = join(broker, 'd', { pools });
    await settle(home, edge);
    return edge;
  }

  /** Polls that hang there, of clients of these users. */
  async function pollsAt(
    edge: Member['edge'],
    ...users: readonly string[]
  ): Promise<FakeExchange[]> {
    const polls: FakeExchange[] = [];
    for (const userId of users) {
      const somebody = home.edge.guest({ userId });
      home.edge.poll(somebody);
      polls.push(edge.poll(somebody));
      await roundTrip();
    }
    return polls;
  }
});

describe('whoever asks', () => {
  test('is known to the app server by the address that its own edge would have seen', async () => {
    const request = {
      ...away.edge.request(guest, { 'x-forwarded-for': '198.51.100.9, 203.0.113.5' }),
      remoteAddress: '10.0.0.1',
    };
    const exchange = new FakeExchange();
    away.edge.doors.receive(request, exchange);
    await roundTrip();
    await posted(JSON_HANDSHAKE);
    const opened = (await server.messages()).find(
      ({ type }) => type === MessageType.OpenConnection,
    );
    const headers = (opened as { headers: ReadonlyMap<string, readonly string[]> }).headers;
    expect([...headers].find(([name]) => name.toLowerCase() === 'x-forwarded-for')?.[1]).toEqual([
      '203.0.113.5',
    ]);
  });

  test('without a token that could ever be good is refused where it lands', async () => {
    for (const accessToken of ['', 'rubbish']) {
      expect((await polledAs({ ...guest, accessToken })).status).toBe(401);
    }
    expect(outcomes()).toEqual({});
    expect(counted(away.edge.context.counters.tokenRejections)).toEqual({
      'client|missing': 1,
      'client|malformed': 1,
    });
    expect(counted(home.edge.context.counters.tokenRejections)).toEqual({});
  });

  test('with the token that it began with goes on, after the end of that', async () => {
    guest = home.edge.guest({ lifetimeSeconds: 3 });
    await open('poll');
    const poll = await polled();
    await pass(4, home, away, third);
    server.data(guest, news('still'));
    await roundTrip();
    expect(poll.body).toBe(news('still'));
    expect((await posted(CALL)).status).toBe(200);
    server.data(guest, news('here'));
    expect((await polled()).body).toBe(news('here'));
    expect(counted(away.edge.context.counters.tokenRejections)).toEqual({});
  });

  test('with one that is not good is refused by its edge, and counted there', async () => {
    const [head, payload] = guest.accessToken.split('.');
    const accessToken = `${head}.${payload}.${'A'.repeat(43)}`;
    expect((await polledAs({ ...guest, accessToken })).status).toBe(401);
    expect(counted(away.edge.context.counters.tokenRejections)).toEqual({});
    expect(counted(home.edge.context.counters.tokenRejections)).toEqual({ 'client|signature': 1 });
    const connectionToken = guest.connectionToken.replace(/.$/, (last) =>
      last === 'A' ? 'B' : 'A',
    );
    expect((await polledAs({ ...guest, connectionToken })).status).toBe(404);
    home.edge.context.digest.flush();
    away.edge.context.digest.flush();
    const refusals = ({ edge }: Member) => edge.lines.filter(({ msg }) => msg === 'client refused');
    expect(refusals(home).map(({ reason }) => reason)).toEqual(['signature', 'unknown_id']);
    expect(refusals(away)).toEqual([]);
    expectNothingLeft();
  });

  test('for an id that nobody has is answered where it lands', async () => {
    expect((await polledAs({ ...guest, connectionToken: 'x'.repeat(20) })).status).toBe(404);
    expect(outcomes()).toEqual({});
  });

  async function polledAs(somebody: Guest): Promise<FakeExchange> {
    const exchange = away.edge.poll(somebody);
    await roundTrip();
    return exchange;
  }
});

describe('when the edge of a client is gone', () => {
  async function lose(): Promise<void> {
    away.loses = '';
    third.loses = '';
    await pass(4, away, third);
  }

  test('its stream is cut', async () => {
    const stream = await open('stream');
    await lose();
    expect(stream.wasCut).toBe(true);
    expect(outcomes()).toMatchObject({ 'stream|lost': 1 });
  });

  test('its poll is answered that there is no such connection, and so is what comes later', async () => {
    await open('poll');
    const poll = await polled();
    await lose();
    expect(poll.status).toBe(404);
    expect((await polled()).status).toBe(404);
    expect(outcomes()).toMatchObject({ 'poll|lost': 1 });
  });

  test('its post is, too', async () => {
    await open('poll');
    const exchange = new FakeExchange();
    away.edge.beginReading(guest, exchange)!(Buffer.from('x'), false);
    await lose();
    expect(exchange.status).toBe(404);
    expect(usedOf(away.edge.context.pools, 'post_bytes')).toBe(0);
  });

  test('after it has said so, at once', async () => {
    const stream = await open('stream');
    await home.edge.core.stop();
    await roundTrip();
    expect(stream.wasCut).toBe(true);
  });
});

describe('when the edge where requests land is gone', () => {
  test('a stream has ended, and a poll has been given up', async () => {
    await open('stream');
    home.loses = '';
    await pass(4, home);
    home.loses = undefined;
    expect(await server.heard()).toContainEqual(['close', guest.id, '']);
    expect(usedOf(home.edge.context.pools, 'posts')).toBe(0);
  });

  test('a client that polls goes on at another', async () => {
    await open('poll');
    await polled();
    await away.edge.core.stop();
    await roundTrip();
    server.data(guest, news('on'));
    await roundTrip();
    expect((await polled(third)).body).toBe(news('on'));
  });

  test('a post that it had begun is given back', async () => {
    await open('poll');
    away.edge.beginReading(guest, new FakeExchange())!(Buffer.from('x'), false);
    await roundTrip();
    expect(usedOf(home.edge.context.pools, 'post_bytes')).toBe(1);
    await away.edge.core.stop();
    await roundTrip();
    expect(usedOf(home.edge.context.pools, 'post_bytes')).toBe(0);
    expect(usedOf(home.edge.context.pools, 'posts')).toBe(0);
  });
});

describe('a loss between the two', () => {
  test.each([
    ['of what the owner has said', () => away.gap('a', 'missing')],
    ['of what the other has said', () => home.gap('b', 'missing')],
    ['of anything', () => away.gap(undefined, 'cut')],
  ])('%s ends their relays at both ends, and no others', async (_, lose) => {
    const stream = await open('stream');
    const other = home.edge.guest();
    const elsewhere = third.edge.stream(other);
    await roundTrip();
    lose();
    await roundTrip();
    expect(stream.wasCut).toBe(true);
    expect(await server.heard()).toEqual([['close', guest.id, '']]);
    expect(elsewhere.isOpen).toBe(true);
    expect(outcomes()).toMatchObject({ 'stream|lost': 1 });
    // And what comes then goes its way.
    guest = home.edge.guest();
    await open('poll');
  });

  test('ends them when one counted as gone for the other, which did not know', async () => {
    const stream = await open('stream');
    home.loses = '';
    await pass(3, home);
    home.loses = undefined;
    expect(stream.isOpen).toBe(true);
    await pass(1, home, away, third);
    await roundTrip();
    expect(stream.wasCut).toBe(true);
  });

  test('of the bus itself ends them, and what comes is refused until it is back', async () => {
    const stream = await open('stream');
    away.down('gone');
    expect(stream.wasCut).toBe(true);
    expect((await polled()).status).toBe(503);
    expect(outcomes()).toMatchObject({ 'stream|lost': 1, 'poll|refused': 1 });
    away.up();
    guest = home.edge.guest();
    await open('poll');
  });
});
