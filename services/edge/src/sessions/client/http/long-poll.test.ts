import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { SendResult } from '../../../ports/socket.ts';
import { FakeExchange } from '../../fake-exchange.test-support.ts';
import { turn, wire } from '../../fixtures.test-support.ts';
import { LongPoll } from './long-poll.ts';
import { TestSurroundings } from './transport.test-support.ts';

const HANG_MS = 90_000;
const IDLE_MS = 5_000;
const LINGER_MS = 15_000;
const NEVER_CACHED = {
  'cache-control': 'no-cache, no-store',
  pragma: 'no-cache',
  expires: 'Thu, 01 Jan 1970 00:00:00 GMT',
};

let around: TestSurroundings;
let first: FakeExchange;
let transport: LongPoll;

beforeEach(() => begin());

function begin(queueBytes?: number): void {
  around = new TestSurroundings();
  first = new FakeExchange();
  const times = { hangMs: HANG_MS, idleMs: IDLE_MS };
  transport = new LongPoll(first, { ...around.options(queueBytes), ...times });
}

const say = (text: string): number => transport.send(wire(text));

function poll(): FakeExchange {
  const exchange = new FakeExchange();
  transport.poll(exchange);
  return exchange;
}

/** Lets time pass; whether the client has been away too long by then. */
function idleAfter(ms: number, late = 0): boolean {
  around.now += ms;
  return transport.isIdle(around.now, late);
}

describe('a poll', () => {
  test('that makes the connection is answered at once and empty', () => {
    const headers = { ...NEVER_CACHED, 'content-type': 'application/octet-stream' };
    expect(first.answered).toEqual({ status: 200, headers });
  });

  test('hangs until there is something, and gets all that was said in one turn', async () => {
    const hanging = poll();
    expect(say('a␞')).toBe(SendResult.Sent);
    expect(say('b␞')).toBe(SendResult.Sent);
    expect(hanging.isOpen).toBe(true);
    await turn();
    expect(hanging.status).toBe(200);
    expect(hanging.answered?.headers).toEqual({
      ...NEVER_CACHED,
      'content-type': 'application/octet-stream',
    });
    expect(hanging.body).toBe('a␞b␞');
  });

  test('is answered at once with what waits', () => {
    expect(say('a␞')).toBe(SendResult.Queued);
    expect(say('b␞')).toBe(SendResult.Queued);
    expect(transport.getBufferedAmount()).toBe(4);
    const next = poll();
    expect(next.body).toBe('a␞b␞');
    expect(transport.getBufferedAmount()).toBe(0);
    expect(around.drained).toBe(1);
  });

  test('that hangs ends with 204 when another takes over, which gets the data', async () => {
    const older = poll();
    const newer = poll();
    expect(older.answered).toEqual({ status: 204, headers: NEVER_CACHED });
    say('a␞');
    await turn();
    expect(newer.body).toBe('a␞');
    expect(around.disconnected).toEqual([]);
  });

  test('given up by the client leaves what was said meanwhile to the next', async () => {
    const hanging = poll();
    say('a␞');
    hanging.leave();
    await turn();
    expect(poll().body).toBe('a␞');
  });

  test('ends empty, as text, when it has hung long enough', () => {
    const hanging = poll();
    expect(idleAfter(HANG_MS - 1)).toBe(false);
    expect(hanging.isOpen).toBe(true);
    expect(idleAfter(1)).toBe(false);
    const headers = { ...NEVER_CACHED, 'content-type': 'text/plain' };
    expect(hanging.answered).toEqual({ status: 200, headers });
  });
});

describe('a client', () => {
  test('is idle when no poll has come in time after the last one', async () => {
    expect(idleAfter(IDLE_MS - 1)).toBe(false);
    expect(idleAfter(1)).toBe(true);
    poll();
    expect(idleAfter(HANG_MS)).toBe(false);
    expect(idleAfter(IDLE_MS - 1)).toBe(false);
    expect(idleAfter(1)).toBe(true);
    const answered = poll();
    say('a␞');
    await turn();
    expect(answered.isOpen).toBe(false);
    expect(idleAfter(IDLE_MS)).toBe(true);
    poll().leave();
    expect(idleAfter(IDLE_MS - 1)).toBe(false);
    expect(idleAfter(1)).toBe(true);
  });

  test('is not idle for the time that the edge itself slept', () => {
    expect(idleAfter(IDLE_MS, 1000)).toBe(false);
    expect(idleAfter(1000)).toBe(true);
  });

  test('for which too much waits gets no more', () => {
    begin(2);
    expect(say('ab␞')).toBe(SendResult.Queued);
    expect(say('c␞')).toBe(SendResult.Dropped);
    expect(poll().body).toBe('ab␞');
  });
});

describe('the end', () => {
  test('is told to a poll that hangs, by 204', () => {
    const hanging = poll();
    transport.end(1001);
    expect(hanging.answered).toEqual({ status: 204, headers: NEVER_CACHED });
    expect(around).toMatchObject({ disconnected: [1001], forgotten: 1 });
  });

  test('comes after the data: it is the poll behind them that hears it', () => {
    const hanging = poll();
    say('last words␞');
    transport.end(1000);
    expect(hanging.body).toBe('last words␞');
    expect(around).toMatchObject({ disconnected: [1000], forgotten: 0 });
    expect(poll().status).toBe(204);
    expect(around.forgotten).toBe(1);
  });

  test('waits 15 seconds for a client that is not there, and keeps its last words for it', () => {
    say('last words␞');
    transport.end(1000);
    expect(idleAfter(LINGER_MS - 1)).toBe(false);
    expect(poll().body).toBe('last words␞');
    expect(idleAfter(LINGER_MS - 1)).toBe(false);
    expect(idleAfter(1)).toBe(true);
    transport.leave();
    expect(around).toMatchObject({ disconnected: [1000], forgotten: 1 });
  });

  test('that the client asks for ends its poll and drops what waits', async () => {
    const hanging = poll();
    say('a␞');
    transport.leave();
    expect(hanging.status).toBe(204);
    await turn();
    expect(around).toMatchObject({ disconnected: [1000], forgotten: 1 });
  });

  test('by a cut drops what waits, and polls find nothing', async () => {
    const hanging = poll();
    say('a␞');
    transport.close();
    expect(hanging.wasCut).toBe(true);
    await turn();
    expect(around).toMatchObject({ disconnected: [1006], forgotten: 1 });
  });

  test('comes once', () => {
    transport.end(1000);
    transport.end(1001);
    transport.close();
    expect(around).toMatchObject({ disconnected: [1000], forgotten: 0 });
  });
});

test('every message comes once and in order, and the end behind all of them', async () => {
  const step = fc.constantFrom('say', 'say', 'turn', 'poll', 'poll', 'give up', 'time', 'end');
  const given = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    begin(Infinity);
    const polls: FakeExchange[] = [];
    const superseded = new Set<FakeExchange>();
    let said = 0;
    let ended = false;
    const next = (): void => {
      const hanging = polls.at(-1);
      if (hanging?.isOpen === true) superseded.add(hanging);
      polls.push(poll());
    };
    for (const step of steps) {
      if (step === 'say' && !ended) say(`${said++}␞`);
      else if (step === 'turn') await turn();
      else if (step === 'poll' && around.forgotten === 0) next();
      else if (step === 'give up' && polls.at(-1)?.isOpen === true) polls.at(-1)!.leave();
      else if (step === 'time') idleAfter(HANG_MS);
      else if (step === 'end') {
        transport.end(1000);
        ended = true;
      }
    }
    transport.end(1000);
    while (around.forgotten === 0) next();
    await turn();
    const everything = Array.from({ length: said }, (_, n) => `${n}␞`).join('');
    const answered = polls.filter((one) => one.status !== undefined && !superseded.has(one));
    expect(answered.map((one) => one.body).join('')).toBe(everything);
    expect(answered.findIndex((one) => one.status === 204)).toBe(answered.length - 1);
    for (const one of superseded) expect(one.answered).toMatchObject({ status: 204 });
    expect(polls.some((one) => one.isOpen)).toBe(false);
    expect(around).toMatchObject({ disconnected: [1000], forgotten: 1 });
  });
  await fc.assert(given, { numRuns: 500 });
});
