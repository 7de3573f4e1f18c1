import { beforeEach, describe, expect, test } from 'vitest';
import { SYSTEM_TIME } from '../system-time.ts';
import { edgeIdOf, headerOf, readHeader } from './batch-format.ts';
import { Batching, LOSSES_SUBJECT } from './batching.ts';
import { BusStats } from './bus-stats.ts';

const HEADER = headerOf('a', Buffer.alloc(8, 1));
const MB = 1024 * 1024;

let stats: BusStats;
let batching: Batching;
let now: number;
let underway: number;
/** What has been written: subject, and whom it is for. */
let written: { subject: string; to: string | undefined; batch: Buffer }[];

beforeEach(() => {
  stats = new BusStats();
  now = 0;
  underway = 0;
  written = [];
  const writer = {
    write: (subject: string, batch: Buffer, to: string | undefined) =>
      void written.push({ subject, to, batch }),
    underway: () => underway,
  };
  const { endOfTurn } = SYSTEM_TIME;
  batching = new Batching(HEADER, stats, writer, { now: () => now, endOfTurn });
});

const subjects = (): string[] => written.map(({ subject }) => subject);
const say = (subject: string, text = 'x'): void => batching.publish(subject, Buffer.from(text));
const send = (to: string, text = 'x'): void => batching.send(to, Buffer.from(text));
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('what the engine has not taken', () => {
  test('is what was said in the turn, waits, and is underway', async () => {
    batching.start(false);
    say('s', 'x'.repeat(100));
    expect(batching.waiting).toBe(100);
    underway = 16 * MB;
    expect(batching.waiting).toBe(16 * MB + 100);
    await turn();
    expect(batching.waiting).toBe(16 * MB + stats.queueBytes);
    expect(stats.queueBytes).toBeGreaterThan(100);
    underway = 7;
    batching.taken();
    expect(batching.waiting).toBe(7);
  });

  test('is nothing to wait for while the engine is away, or has taken nothing for three seconds', () => {
    const expire = (seconds: number): void => {
      for (let second = 0; second < seconds; second++) batching.expire();
    };
    underway = 2 * MB;
    expect(batching.waiting).toBe(0);
    batching.start(false);
    batching.taken();
    expire(2);
    expect(batching.waiting).toBe(2 * MB);
    expire(1);
    expect(batching.waiting).toBe(0);
    batching.taken();
    expect(batching.waiting).toBe(2 * MB);
    batching.pause();
    expect(batching.waiting).toBe(0);
    // An engine is not asked about a little.
    underway = 2 * MB - 1;
    batching.start(false);
    expire(10);
    expect(batching.waiting).toBe(2 * MB - 1);
  });
});

describe('in a turn', () => {
  beforeEach(() => batching.start(false));

  test('a lone message goes out at its end', async () => {
    say('s');
    await Promise.resolve();
    expect(written).toEqual([]);
    await turn();
    expect(subjects()).toEqual(['s']);
  });

  test('many small batches take little memory, also behind a large one', async () => {
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 500; n++) say(`s${n}`);
      say('large', 'x'.repeat(64 * 1024));
      await turn();
    }
    const memory = new Set(written.map(({ batch }) => batch.buffer));
    const taken = Array.from(memory, ({ byteLength }) => byteLength);
    expect(taken.reduce((sum, bytes) => sum + bytes)).toBeLessThan(1.5 * MB);
  });

  test('messages for one subject that follow each other share a batch', async () => {
    for (const subject of ['s', 's', 's', 't', 't', 's']) say(subject);
    await turn();
    expect(subjects()).toEqual(['s', 't', 's']);
    expect(stats.published).toMatchObject({ messages: 6, batches: 3 });
    say('s');
    await turn();
    expect(subjects()).toEqual(['s', 't', 's', 's']);
  });

  test('those for single edges share one for each, since no edge sees what others are sent', async () => {
    for (const to of ['b', 'c', 'b', 'c', 'b']) send(to);
    await turn();
    expect(written.map(({ to }) => to)).toEqual(['b', 'c']);
    expect(subjects()).toEqual(['edge.b', 'edge.c']);
  });

  test('what is for all keeps its place among what is for one', async () => {
    send('b');
    send('c');
    say('s');
    send('b');
    send('c');
    send('b');
    say('s');
    say('s');
    await turn();
    expect(subjects()).toEqual(['edge.b', 'edge.c', 's', 'edge.b', 'edge.c', 's']);
  });

  test('more than a batch takes goes into several', async () => {
    for (let i = 0; i < 1_000; i++) batching.publish('s', Buffer.alloc(100));
    await turn();
    const lengths = written.map(({ batch }) => batch.length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(32 * 1024);
    expect(lengths).toHaveLength(4);
    expect(stats.published).toMatchObject({ batches: 4, messages: 1_000 });
  });

  test('a message that is longer than most batches has one of its own', async () => {
    say('s');
    batching.publish('s', Buffer.alloc(200 * 1024));
    say('s');
    say('s');
    await turn();
    expect(written.map(({ batch }) => batch.length > 200 * 1024)).toEqual([false, true, false]);
    expect(stats.published.messages).toBe(4);
  });

  test('a message that is longer than any batch goes in parts', async () => {
    batching.publish('s', Buffer.alloc(2 * MB));
    await turn();
    expect(new Set(subjects())).toEqual(new Set(['s']));
    const lengths = written.map(({ batch }) => batch.length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(512 * 1024);
    expect(lengths).toHaveLength(5);
    expect(stats.published.messages).toBe(1);
  });

  test('over a megabyte does not wait for its end', async () => {
    for (let i = 0; i < 5; i++) batching.publish('s', Buffer.alloc(400 * 1024));
    expect(written.length).toBeGreaterThan(2);
    await turn();
    expect(written).toHaveLength(5);
  });
});

describe('numbers', () => {
  const headers = () => written.map(({ batch }) => readHeader(batch)!);

  test('count batches, and each has that of the one before for its subject', async () => {
    batching.start(false);
    for (const subject of ['s', 't', 's', 's']) say(subject);
    await turn();
    say('t');
    await turn();
    expect(headers().map(({ number, previous }) => [number, previous])).toEqual([
      [1, 0],
      [2, 0],
      [3, 1],
      [4, 2],
    ]);
    expect(edgeIdOf(headers()[0]!.sender)).toBe('a');
    expect(headers()[0]).toMatchObject({ losses: 0 });
  });

  test('show what was dropped, and losses are told to who hears nothing else', async () => {
    batching.start(false);
    say('s');
    await turn();
    batching.pause();
    say('s', 'lost');
    await turn();
    now = 10_000;
    batching.start(true);
    expect(subjects()).toEqual(['s', LOSSES_SUBJECT]);
    expect(headers().map(({ losses }) => losses)).toEqual([0, 2]);
    say('s');
    await turn();
    expect(headers().at(-1)).toMatchObject({ number: 4, previous: 2, losses: 2 });
    expect(subjects()).toEqual(['s', LOSSES_SUBJECT, 's']);
  });
});

describe('while the engine is away', () => {
  test('messages wait, and go out in their order', async () => {
    say('s', '1');
    await turn();
    say('t', '2');
    await turn();
    expect(written).toEqual([]);
    expect(stats.queueBytes).toBeGreaterThan(0);
    batching.start(false);
    expect(subjects()).toEqual(['s', 't']);
    expect(stats.queueBytes).toBe(0);
  });

  test('those that have waited for more than 5 s are dropped', async () => {
    say('old');
    await turn();
    now = 3_000;
    say('young');
    await turn();
    now = 5_001;
    batching.expire();
    expect(stats.dropped).toEqual({ full: 0, stale: 1, too_large: 0 });
    batching.start(false);
    expect(subjects()).toEqual([LOSSES_SUBJECT, 'young']);
  });

  test('the oldest make room for the newest above 16 MB', async () => {
    for (let i = 0; i < 40; i++) {
      batching.publish(`s${i}`, Buffer.alloc(MB / 2 - 1000));
      await turn();
    }
    expect(stats.queueBytes).toBeLessThanOrEqual(16 * MB);
    expect(stats.queueBytes).toBeGreaterThan(15 * MB);
    expect(stats.dropped.full).toBe(8);
    batching.start(false);
    expect(subjects().slice(0, 2)).toEqual([LOSSES_SUBJECT, 's8']);
    expect(subjects().at(-1)).toBe('s39');
  });
});

test('what a slow engine has not taken holds back what follows, within the same bounds', async () => {
  batching.start(false);
  underway = 16 * MB;
  say('s');
  await turn();
  expect(written).toEqual([]);
  underway = 0;
  batching.pump();
  expect(subjects()).toEqual(['s']);
});

test('a message of over 16 MB is refused to who asks before, which is counted, and no loss', () => {
  batching.start(false);
  expect(batching.refuses(16 * MB)).toBe(false);
  expect(batching.refuses(16 * MB + 1)).toBe(true);
  expect(stats.dropped.too_large).toBe(1);
  batching.expire();
  expect(subjects()).toEqual([]);
});

test('a message of over 16 MB goes nowhere, which is counted and told', async () => {
  batching.start(false);
  batching.publish('s', Buffer.alloc(16 * MB));
  batching.publish('s', Buffer.alloc(16 * MB + 1));
  await turn();
  expect(stats.dropped.too_large).toBe(1);
  expect(stats.published.messages).toBe(1);
  batching.expire();
  expect(subjects().at(-1)).toBe(LOSSES_SUBJECT);
});
