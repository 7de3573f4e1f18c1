import { createLogger, LogDigest } from '@trunkline/telemetry';
import { beforeEach, describe, expect, test } from 'vitest';
import { Pools } from '../../pools.ts';
import { ManualTime } from '../../ports/manual-time.test-support.ts';
import type { UpstreamRequest } from '../../ports/upstream-http.ts';
import { usedOf } from '../wire.test-support.ts';
import { OPEN_MS } from './breaker.ts';
import type { CallOutcome } from './call-pool.ts';
import { CallPool } from './call-pool.ts';
import { FakeUpstream } from './fake-upstream.test-support.ts';

const TIMEOUT_MS = 10_000;
const MB = 1024 * 1024;

let time: ManualTime;
let http: FakeUpstream;
let pools: Pools;
let calls: CallPool;
/** What came of calls, in the order in which it came. */
let ended: [event: string, outcome: CallOutcome['kind']][];
/** What came of the latest call of each name. */
let outcomes: Map<string, CallOutcome>;
/** Calls whose request has been asked for. */
let built: string[];
let lines: Record<string, unknown>[];

beforeEach(() => {
  time = new ManualTime();
  http = new FakeUpstream();
  pools = new Pools({ upstream_answers: { share: 4 * MB, total: 6 * MB } });
  ended = [];
  outcomes = new Map();
  built = [];
  lines = [];
  const write = (line: string): void => void lines.push(JSON.parse(line));
  const log = createLogger({ name: 'edge', level: 'info' }, { write });
  const digest = new LogDigest(log, () => time.now());
  const limits = { timeoutMs: TIMEOUT_MS, concurrency: 2 };
  calls = new CallPool(http, limits, { time, digest, pools });
});

function call(event: string, host = 'a', wantsAnswer = true): CallOutcome | undefined {
  const headers = { 'x-asrs-event': event };
  const origin = `http://${host}`;
  const request = (): UpstreamRequest => {
    built.push(event);
    return { origin, path: '/', headers, body: Buffer.alloc(0) };
  };
  const done = (outcome: CallOutcome): void => {
    ended.push([event, outcome.kind]);
    outcomes.set(event, outcome);
  };
  return calls.submit({ origin, request, wantsAnswer, done });
}

describe('calls at a time', () => {
  test('to one upstream are so many, and the others wait in their order', () => {
    for (const event of ['1', '2', '3', '4']) expect(call(event)).toBeUndefined();
    expect([http.open, calls.inFlight, calls.waiting]).toEqual([['1', '2'], 2, 2]);
    http.posts[1]!.answer();
    expect([http.open, calls.waiting]).toEqual([['1', '3'], 1]);
    http.posts[0]!.answer();
    expect([http.open, calls.waiting]).toEqual([['3', '4'], 0]);
    expect(ended).toEqual([
      ['2', 'answer'],
      ['1', 'answer'],
    ]);
  });

  test('to one upstream are no more once it has been looked after deadlines', () => {
    for (const event of ['1', '2']) call(event);
    calls.expire(time.now(), 0);
    call('3');
    expect([http.open, calls.waiting]).toEqual([['1', '2'], 1]);
  });

  test('to all are four times as many, and upstreams take turns', () => {
    for (const host of ['a', 'b', 'c', 'd', 'e', 'f']) {
      for (const n of [1, 2]) call(`${host}${n}`, host);
    }
    expect([calls.inFlight, calls.waiting]).toEqual([8, 4]);
    for (const post of http.posts.slice(0, 2)) post.answer();
    expect(http.open.slice(-2)).toEqual(['e1', 'f1']);
    http.next.answer();
    expect(http.open.at(-1)).toBe('e2');
  });

  test('to all are no more for an upstream that has none, and it has its turn', () => {
    for (const host of ['a', 'b', 'c', 'd']) for (const n of [1, 2]) call(`${host}${n}`, host);
    call('e1', 'e');
    calls.expire(time.now(), 0);
    http.next.answer();
    expect(http.open.at(-1)).toBe('e1');
  });

  test('of a slow upstream leave room for another', () => {
    for (const event of ['1', '2', '3']) call(event, 'slow');
    call('4', 'quick');
    expect(http.open).toEqual(['1', '2', '4']);
  });
});

test('the time that calls take is measured, without that for which they wait', () => {
  for (const event of ['1', '2', '3']) call(event);
  time.pass(1000);
  for (const post of http.posts.slice(0, 2)) post.answer();
  time.pass(2000);
  http.next.fail();
  expect(calls.seconds.sum).toBe(1 + 1 + 2);
});

describe('a deadline', () => {
  test('ends calls that are under way, and those that wait', () => {
    for (const event of ['1', '2', '3']) call(event);
    http.posts[1]!.answering = true;
    time.pass(TIMEOUT_MS - 1);
    calls.expire(time.now(), 0);
    expect(ended).toEqual([]);
    time.pass(1);
    calls.expire(time.now(), 0);
    expect(ended.map(([event]) => event)).toEqual(['3', '1', '2']);
    const timeout = (answering: boolean) => ({ kind: 'timeout', answering });
    expect(Object.fromEntries(outcomes)).toEqual({
      1: timeout(false),
      2: timeout(true),
      3: timeout(false),
    });
    expect([calls.inFlight, calls.waiting, built]).toEqual([0, 0, ['1', '2']]);
  });

  test('of very many ends them in several turns', () => {
    for (let i = 0; i < 50; i++) {
      call(`${i}`);
      call(`${i}`, `${i}`);
    }
    time.pass(TIMEOUT_MS);
    time.lookMs = 1;
    calls.expire(time.now(), 0);
    expect([ended.length < 10, calls.inFlight > 0, calls.waiting]).toEqual([true, true, 0]);
    for (let i = 0; i < 100; i++) time.endTurn();
    expect([ended.length, calls.inFlight]).toEqual([100, 0]);
  });

  test('moves while the edge sleeps', () => {
    call('1');
    time.sleep(2 * TIMEOUT_MS);
    calls.expire(time.now(), 2 * TIMEOUT_MS);
    expect(ended).toEqual([]);
    time.pass(TIMEOUT_MS);
    calls.expire(time.now(), 0);
    expect(ended).toEqual([['1', 'timeout']]);
  });
});

describe('an upstream that is down', () => {
  const down = (): void => {
    for (let i = 0; i < 5; i++) {
      call(`${i}`);
      http.next.fail();
    }
  };

  test('is not called for a while, nor by those that wait', () => {
    for (let i = 0; i < 7; i++) call(`${i}`);
    for (let i = 0; i < 5; i++) http.next.fail();
    expect(ended).toContainEqual(['6', 'breaker']);
    expect(http.open).toEqual(['5']);
    expect(call('x')).toEqual({ kind: 'breaker' });
    expect(call('y', 'b')).toBeUndefined();
    expect(calls.breakers()).toEqual({ closed: 1, open: 1, half_open: 0 });
  });

  test('is not called for a while though its calls come one by one, and it is idle in between', () => {
    for (let i = 0; i < 5; i++) {
      call(`${i}`);
      http.next.fail();
      time.pass(1000);
      calls.expire(time.now(), 0);
    }
    expect(calls.breakers().open).toBe(1);
  });

  test('has calls that wait given up in several turns, in their order and without a request', () => {
    for (let i = 0; i < 50; i++) call(`${i}`);
    // Two looks at the clock take a turn's time.
    time.lookMs = 1;
    for (let i = 0; i < 5; i++) http.next.fail();
    const givenUp = (): string[] =>
      ended.filter(([, kind]) => kind === 'breaker').map(([event]) => event);
    expect([givenUp(), calls.waiting]).toEqual([['6', '7'], 0]);
    http.next.answer();
    for (let i = 0; i < 25; i++) time.endTurn();
    expect(givenUp()).toEqual(Array.from({ length: 44 }, (_, i) => `${i + 6}`));
    expect(built).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  test('is then tried by one call', () => {
    down();
    time.pass(OPEN_MS);
    expect([call('probe'), call('x')]).toEqual([undefined, { kind: 'breaker' }]);
    // The one is under way, though others may be over their deadlines.
    calls.expire(time.now(), 0);
    expect(call('x')).toEqual({ kind: 'breaker' });
    http.next.answer();
    expect(call('y')).toBeUndefined();
  });

  test('is then tried by the next call when the first has waited in vain', () => {
    down();
    for (const host of ['b', 'c', 'd', 'e']) for (const event of ['1', '2']) call(event, host);
    time.pass(OPEN_MS);
    expect(call('probe')).toBeUndefined();
    time.pass(TIMEOUT_MS);
    calls.expire(time.now(), 0);
    expect(ended).toContainEqual(['probe', 'timeout']);
    expect([call('next'), http.open]).toEqual([undefined, ['next']]);
  });

  test('is remembered while it is, and no longer', () => {
    down();
    calls.expire(time.now(), 0);
    expect(calls.breakers().open).toBe(1);
    time.pass(OPEN_MS);
    call('probe');
    http.next.answer();
    calls.expire(time.now(), 0);
    expect(calls.breakers()).toEqual({ closed: 0, open: 0, half_open: 0 });
  });

  test.each([502, 503, 504])('may say so by %i', (status) => {
    for (let i = 0; i < 5; i++) {
      call(`${i}`);
      http.next.answer(status);
    }
    expect(calls.breakers().open).toBe(1);
  });

  test('is told of in the log, and so is that it is back', () => {
    call('x');
    http.next.answer();
    expect(lines).toEqual([]);
    down();
    const why = 'connect ECONNREFUSED';
    const upstream = 'http://a';
    expect(lines).toMatchObject([
      { level: 'warn', upstream, why },
      { level: 'warn', upstream, why },
    ]);
    time.pass(OPEN_MS);
    call('probe');
    http.next.answer();
    expect(lines.slice(2)).toMatchObject([{ level: 'info', upstream }]);
  });

  test('may say so by not answering', () => {
    for (let i = 0; i < 5; i++) {
      call(`${i}`);
      time.pass(TIMEOUT_MS);
      calls.expire(time.now(), 0);
    }
    expect(calls.breakers().open).toBe(1);
  });

  test.each([200, 404, 500])('is not one that answers %i', (status) => {
    for (let i = 0; i < 9; i++) {
      call(`${i}`);
      http.next.answer(status);
    }
    expect(calls.breakers()).toMatchObject({ open: 0, closed: 1 });
  });
});

describe('answers', () => {
  test('nobody reads are not kept', () => {
    call('1', 'a', false);
    expect(http.next.isRead).toBe(false);
  });

  test('have a bound for one', () => {
    call('1');
    http.next.answer(200, Buffer.alloc(4 * MB + 1));
    expect(ended).toEqual([['1', 'too_large']]);
    expect(usedOf(pools, 'upstream_answers')).toBe(0);
  });

  test('have a bound for all, and the longest pays', () => {
    call('1');
    call('2');
    const [first, second] = http.posts;
    expect(first!.comes(4 * MB)).toBe(true);
    expect(second!.comes(MB)).toBe(true);
    expect(second!.comes(MB + 1)).toBe(true);
    expect(ended).toEqual([['1', 'too_large']]);
    second!.answer();
    expect(usedOf(pools, 'upstream_answers')).toBe(0);
  });
});
