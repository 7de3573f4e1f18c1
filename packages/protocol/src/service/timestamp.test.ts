import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { timestamp } from './arbitrary.test-support.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { bytes, protocolError } from './frames.test-support.ts';
import { isNever, NEVER, timestampOf } from './timestamp.ts';

const read = (hex: string) => new ByteReader(bytes(hex)).timestamp();

test.each([
  ['d6ff ffffffff', { seconds: 2 ** 32 - 1, nanoseconds: 0 }],
  ['d7ff 00000001 00000000', { seconds: 2 ** 32, nanoseconds: 0 }],
  ['d7ff 00000003 ffffffff', { seconds: 2 ** 34 - 1, nanoseconds: 0 }],
  ['d7ff ee6b27fc 00000000', { seconds: 0, nanoseconds: 999_999_999 }],
  ['c70cff 00000000 0000000400000000', { seconds: 2 ** 34, nanoseconds: 0 }],
  ['c70cff 00000001 ffffffffffffffff', { seconds: -1, nanoseconds: 1 }],
])('%s is a time, and the shortest form of it', (hex, time) => {
  expect(read(hex)).toStrictEqual(time);
  const writer = new ByteWriter(1);
  writer.timestamp(time);
  expect(writer.view()).toStrictEqual(bytes(hex));
});

test.each(['c70cff', 'c8000cff', 'c90000000cff'])('%s begins a time of 12 bytes', (head) => {
  expect(read(`${head} 00000001 ffffffffffffffff`)).toStrictEqual({ seconds: -1, nanoseconds: 1 });
});

test('is read as it was written', () => {
  fc.assert(
    fc.property(timestamp, (time) => {
      const writer = new ByteWriter(1);
      writer.timestamp(time);
      const reader = new ByteReader(writer.view());
      expect(reader.timestamp()).toStrictEqual(time);
      expect(reader.offset).toBe(writer.length);
    }),
  );
});

test.each([
  ['another extension', 'd601 00000000', 'wrong-type'],
  ['a number', '01', 'wrong-type'],
  ['a length that timestamps do not have', 'd5ff 0000', 'wrong-type'],
  ['more than a second of nanoseconds', 'd7ff ee6b2800 00000000', 'oversized'],
  ['seconds beyond what a number holds', 'c70cff 00000000 7fffffffffffffff', 'oversized'],
  ['half of one', 'd7ff 000000', 'truncated'],
])('%s is refused', (_, hex, code) => {
  expect(protocolError(() => read(hex))).toMatchObject({ code });
});

test.each([
  [0, 0, { seconds: 0, nanoseconds: 0 }],
  [1500, 0, { seconds: 1, nanoseconds: 500_000_000 }],
  [1999, 999_999, { seconds: 1, nanoseconds: 999_999_999 }],
  [-1, 5, { seconds: -1, nanoseconds: 999_000_005 }],
])('%d milliseconds and %d nanoseconds from 1970 are a time', (milliseconds, behind, time) => {
  expect(timestampOf(milliseconds, behind)).toStrictEqual(time);
});

test("no time is .NET's last second, and later", () => {
  expect(isNever(NEVER)).toBe(true);
  expect(isNever({ seconds: NEVER.seconds - 1, nanoseconds: 0 })).toBe(false);
});
