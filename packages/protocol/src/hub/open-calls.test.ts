import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classifyText } from './classify-text.ts';
import { OPEN_CALLS_OUTSIDE_MAX, OPEN_CALL_ID_BYTES_MAX, OpenCalls } from './open-calls.ts';
import { RecordInfo } from './record-info.ts';

/** A completion of `id`, classified. */
function completion(id: string): { info: RecordInfo; bytes: Uint8Array } {
  return completionOf(JSON.stringify(id));
}

function completionOf(idText: string): { info: RecordInfo; bytes: Uint8Array } {
  const bytes = Buffer.from(`{"type":3,"invocationId":${idText}}`);
  const info = new RecordInfo();
  classifyText(bytes, 0, bytes.length, info);
  return { info, bytes };
}

function add(calls: OpenCalls, id: string | number): boolean {
  const { info, bytes } = completion(String(id));
  return calls.add(info, bytes);
}

function remove(calls: OpenCalls, id: string | number): boolean {
  const { info, bytes } = completion(String(id));
  return calls.delete(info, bytes);
}

const anyId = fc.oneof(
  { weight: 6, arbitrary: fc.nat(100).map(String) },
  fc.nat().map(String),
  fc.constantFrom('0', '2147483647', '2147483646', '2147483648', '2147483620', '007', 's1', 'é'),
);
const anyStep = fc.record({ open: fc.boolean(), id: anyId });

/** What every step answers and leaves, of OpenCalls and of a Set. */
function follow(steps: readonly { open: boolean; id: string }[]) {
  const calls = new OpenCalls();
  const model = new Set<string>();
  return steps.map(({ open, id }) => {
    const answer = open ? add(calls, id) : remove(calls, id);
    const seen = { answer, size: calls.size, ids: calls.ids().sort() };
    const modelAnswer = open ? model.add(id).has(id) : model.delete(id);
    return { seen, model: { answer: modelAnswer, size: model.size, ids: [...model].sort() } };
  });
}

describe('like a Set', () => {
  test('with any ids', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { size: '+1', maxLength: 200 }), (steps) => {
        for (const { seen, model } of follow(steps)) expect(seen).toStrictEqual(model);
      }),
      { numRuns: 300 },
    );
  });

  test('with a counter, and calls that end in any order or never', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1000), fc.array(fc.nat(60), { size: '+1' }), (from, ends) => {
        const steps = ends.flatMap((back, i) => [
          { open: true, id: String(from + i) },
          { open: false, id: String(Math.max(from, from + i - back)) },
        ]);
        for (const { seen, model } of follow(steps)) expect(seen).toStrictEqual(model);
      }),
    );
  });
});

test.each([1, 31, 32, 33, 62, 63, 64, 65])('a call and one %d ids later are two calls', (later) => {
  const calls = new OpenCalls();
  expect(add(calls, 7)).toBe(true);
  expect(remove(calls, 7 + later)).toBe(false);
  expect(calls.ids()).toStrictEqual(['7']);
  expect(add(calls, 7 + later)).toBe(true);
  expect(calls.ids().sort()).toStrictEqual(['7', String(7 + later)].sort());
  expect([remove(calls, 7), remove(calls, 7)]).toStrictEqual([true, false]);
  expect(calls.ids()).toStrictEqual([String(7 + later)]);
});

describe('bounds', () => {
  test('no id, an empty one and one too long are not tracked', () => {
    const calls = new OpenCalls();
    expect(add(calls, '')).toBe(false);
    expect(calls.add(new RecordInfo(), Buffer.alloc(0))).toBe(false);
    expect(add(calls, 'x'.repeat(OPEN_CALL_ID_BYTES_MAX + 1))).toBe(false);
    expect(add(calls, 'x'.repeat(OPEN_CALL_ID_BYTES_MAX))).toBe(true);
    expect(remove(calls, 'x'.repeat(OPEN_CALL_ID_BYTES_MAX + 1))).toBe(false);
    expect(calls.size).toBe(1);
  });

  test('a full Set refuses more, and keeps what is open', () => {
    const calls = new OpenCalls();
    for (let i = 0; i < OPEN_CALLS_OUTSIDE_MAX; i++) expect(add(calls, `s${i}`)).toBe(true);
    expect(add(calls, 'more')).toBe(false);
    expect(add(calls, 's0')).toBe(true);
    expect(add(calls, 100)).toBe(true);
    expect(add(calls, 131)).toBe(true);
    const before = calls.ids();
    for (const outside of [132, 99, 1_000_000]) expect(add(calls, outside)).toBe(false);
    expect(calls.ids()).toStrictEqual(before);
    expect(remove(calls, 's0')).toBe(true);
    expect(add(calls, 132)).toBe(true);
    expect(remove(calls, 100)).toBe(true);
    expect(calls.size).toBe(OPEN_CALLS_OUTSIDE_MAX + 1);
  });

  test('a full Set leaves room in the window, for ids up to 31 below one that is open', () => {
    const calls = new OpenCalls();
    for (let i = 0; i < OPEN_CALLS_OUTSIDE_MAX; i++) add(calls, `s${i}`);
    expect([100, 99, 69, 68].map((id) => add(calls, id))).toStrictEqual([true, true, true, false]);
  });

  test('counters that all stay open are bounded too', () => {
    const calls = new OpenCalls();
    for (let id = 0; id < 1000; id++) add(calls, id);
    expect(calls.size).toBe(OPEN_CALLS_OUTSIDE_MAX + 32);
  });
});

test('calls that are not tracked are counted until they end', () => {
  const calls = new OpenCalls();
  const long = (n: number): string => `${n}`.padEnd(OPEN_CALL_ID_BYTES_MAX + 1, 'x');
  expect([add(calls, long(1)), add(calls, 7), add(calls, long(2))]).toEqual([false, true, false]);
  expect([calls.missed, calls.size]).toEqual([2, 1]);
  expect(remove(calls, 7)).toBe(true);
  expect(calls.missed).toBe(2);
  for (const left of [1, 0, 0]) {
    expect(remove(calls, long(1))).toBe(false);
    expect(calls.missed).toBe(left);
  }
});

test('JSON escapes of one id are one id', () => {
  const calls = new OpenCalls();
  for (const [opened, closed] of [
    ['"caf\\u00e9"', '"café"'],
    ['"\\u0037"', '"7"'],
    ['"a\\/b"', '"a/b"'],
  ] as const) {
    const start = completionOf(opened);
    const end = completionOf(closed);
    expect(calls.add(start.info, start.bytes)).toBe(true);
    expect(calls.delete(end.info, end.bytes)).toBe(true);
  }
  expect(calls.size).toBe(0);
});

test('counted calls cost no memory, even beside one that stays open', () => {
  const calls = new OpenCalls();
  const info = new RecordInfo();
  const none = Buffer.alloc(0);
  const run = (from: number, to: number) => {
    for (info.id = from; info.id < to; info.id++) {
      calls.add(info, none);
      if (info.id > 0) calls.delete(info, none);
    }
  };
  run(0, 20_000);
  const before = process.memoryUsage().heapUsed;
  run(20_000, 220_000);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(1_000_000);
  expect(calls.ids()).toStrictEqual(['0']);
});
