import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { discard } from '../discard.ts';
import { ProtocolError } from '../errors.ts';
import { giveBlock } from './blocks.ts';
import { RecordBuffer } from './record-buffer.ts';
import { binaryRecordEnd, recordEnd, textRecordEnd } from './records.ts';

/** Of ArrayBuffer, in Node 22. */
interface Transferable {
  transfer(bytes: number): void;
}

const megabyte = 2 ** 20;

const LIMIT = 1000;

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return 'none';
}

function textRecord(text: string): Buffer {
  return Buffer.from(`${text.replaceAll('\x1e', ' ')}\x1e`);
}

function binaryRecord(body: Uint8Array): Buffer {
  const prefix: number[] = [];
  let rest = body.length;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) prefix.push((rest % 0x80) | 0x80);
  return Buffer.concat([Buffer.of(...prefix, rest), body]);
}

/** All records of `chunks`, copied. */
function recordsOf(buffer: RecordBuffer, chunks: readonly Uint8Array[]): string[] {
  const records: string[] = [];
  for (const chunk of chunks) {
    buffer.push(chunk, (bytes, start, end) => {
      records.push(Buffer.from(bytes.subarray(start, end)).toString('hex'));
    });
  }
  return records;
}

const anyRecords = fc.oneof(
  fc.record({
    binary: fc.constant(false),
    records: fc.array(fc.string({ maxLength: 300 }).map(textRecord)),
  }),
  fc.record({
    binary: fc.constant(true),
    records: fc.array(fc.uint8Array({ maxLength: 300, size: 'max' }).map(binaryRecord)),
  }),
);

/** Cuts `bytes` at places given as fractions of its length. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = places.map((place) => Math.floor(place * (bytes.length + 1))).sort((a, b) => a - b);
  return [...at, bytes.length].map((end, i) => bytes.subarray(at[i - 1] ?? 0, end));
}

describe('ends', () => {
  test('text ends after its RS', () => {
    const bytes = Buffer.from('{}\x1e{"type":6}\x1e{');
    expect(textRecordEnd(bytes, 0)).toBe(3);
    expect(textRecordEnd(bytes, 3)).toBe(14);
    expect(textRecordEnd(bytes, 14)).toBe(-1);
  });

  test.each([
    ['35', 53],
    ['d101', 209],
    ['8029', 5248],
    ['8000', 0],
    ['8080808000', 0],
    ['ffffffff07', 0x7fffffff],
  ])('prefix %s announces %d bytes', (hex, length) => {
    const prefix = Buffer.from(hex, 'hex');
    const whole = prefix.length + length;
    for (let end = 0; end < prefix.length; end++) {
      expect(binaryRecordEnd(prefix.subarray(0, end), 0, 2 ** 31 + 4)).toBe(-1);
    }
    expect(binaryRecordEnd(prefix, 0, whole)).toBe(length === 0 ? whole : -1);
    expect(codeOf(() => binaryRecordEnd(prefix, 0, whole - 1))).toBe('oversized');
    if (length > 10_000) return;
    const bytes = Buffer.concat([Buffer.of(0), prefix, Buffer.alloc(length + 1)]);
    expect(binaryRecordEnd(bytes, 1, LIMIT * 10)).toBe(1 + whole);
    expect(binaryRecordEnd(bytes.subarray(0, -2), 1, LIMIT * 10)).toBe(-1);
  });

  test.each(['ffffffff08', '8080808080', 'ffffffffff'])('prefix %s has no length', (hex) => {
    expect(codeOf(() => binaryRecordEnd(Buffer.from(hex, 'hex'), 0, LIMIT))).toBe('bad-length');
  });

  test('the limit counts RS, there or not', () => {
    const bytes = Buffer.from('..abc\x1e');
    expect(recordEnd(false, bytes, 2, 4)).toBe(6);
    expect(codeOf(() => recordEnd(false, bytes, 2, 3))).toBe('oversized');
    expect(recordEnd(false, bytes.subarray(0, 5), 2, 4)).toBe(-1);
    expect(codeOf(() => recordEnd(false, bytes.subarray(0, 5), 2, 3))).toBe('oversized');
  });
});

describe('buffer', () => {
  test('cut anywhere, the records are the same', () => {
    fc.assert(
      fc.property(
        anyRecords,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
        (all, places) => {
          const buffer = new RecordBuffer(all.binary, LIMIT);
          const chunks = cut(Buffer.concat(all.records), places);
          expect(recordsOf(buffer, chunks)).toStrictEqual(
            all.records.map((r) => r.toString('hex')),
          );
          expect(buffer.held).toBe(0);
        },
      ),
    );
  });

  test('in single bytes, it holds exactly the unfinished record', () => {
    fc.assert(
      fc.property(anyRecords, ({ binary, records }) => {
        const buffer = new RecordBuffer(binary, LIMIT);
        for (const record of records) {
          for (let i = 0; i < record.length; i++) {
            const done = recordsOf(buffer, [record.subarray(i, i + 1)]);
            const whole = i === record.length - 1;
            expect(done).toStrictEqual(whole ? [record.toString('hex')] : []);
            expect(buffer.held).toBe(whole ? 0 : i + 1);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test('whole records are handed on in place', () => {
    const chunk = Buffer.concat([textRecord('a'), textRecord('bc'), Buffer.from('d')]);
    const seen: [Uint8Array, number, number][] = [];
    const buffer = new RecordBuffer(false, LIMIT);
    buffer.push(chunk, (...record) => void seen.push(record));
    expect(seen.map(([bytes]) => bytes === chunk)).toStrictEqual([true, true]);
    expect(seen.map(([, start, end]) => [start, end])).toStrictEqual([
      [0, 2],
      [2, 5],
    ]);
    expect(buffer.held).toBe(1);
  });

  test('a sink that has enough is given no more, and the rest can follow', () => {
    const buffer = new RecordBuffer(false, LIMIT);
    const seen: string[] = [];
    const one = (bytes: Uint8Array, start: number, end: number): boolean => {
      seen.push(Buffer.from(bytes.subarray(start, end)).toString());
      return false;
    };
    expect(buffer.push(Buffer.from('a'), one)).toBe(1);
    const rest = Buffer.from('b\x1ecd\x1ee');
    expect(buffer.push(rest, one)).toBe(2);
    expect(buffer.push(rest.subarray(2), one)).toBe(3);
    expect(buffer.push(rest.subarray(5), one)).toBe(1);
    expect(seen).toStrictEqual(['ab\x1e', 'cd\x1e']);
    expect([buffer.held, buffer.reserved > 0]).toStrictEqual([1, true]);
  });

  test('a joined record is not written over by later ones', () => {
    const buffer = new RecordBuffer(false, LIMIT);
    const seen: Uint8Array[] = [];
    for (const piece of ['a', 'b\x1ec', 'd\x1e']) {
      buffer.push(
        Buffer.from(piece),
        (bytes, start, end) => void seen.push(bytes.subarray(start, end)),
      );
    }
    expect(seen.map((bytes) => Buffer.from(bytes).toString())).toStrictEqual(['ab\x1e', 'cd\x1e']);
  });

  test.each([
    ['text', false, textRecord('x'.repeat(LIMIT - 1)), textRecord('x'.repeat(LIMIT))],
    ['binary', true, binaryRecord(Buffer.alloc(LIMIT - 2)), binaryRecord(Buffer.alloc(LIMIT - 1))],
  ])('%s records up to the limit, in pieces too', (_, binary, longest, tooLong) => {
    for (const size of [1, 3, 7, LIMIT - 1, LIMIT * 2]) {
      const pieces = (record: Buffer) =>
        Array.from({ length: Math.ceil(record.length / size) }, (_, i) =>
          record.subarray(i * size, (i + 1) * size),
        );
      const buffer = new RecordBuffer(binary, LIMIT);
      expect(recordsOf(buffer, pieces(longest))).toStrictEqual([longest.toString('hex')]);
      expect(codeOf(() => recordsOf(buffer, pieces(tooLong)))).toBe('oversized');
      expect(buffer.held).toBeLessThan(LIMIT);
    }
  });

  test('an announced length takes no memory', () => {
    const before = process.memoryUsage().arrayBuffers;
    const buffers = Array.from({ length: 100 }, () => {
      const buffer = new RecordBuffer(true, 2 ** 30);
      recordsOf(buffer, [Buffer.of(0x80, 0x80, 0x80, 0x80, 0x01), Buffer.of(1)]);
      return buffer;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
    expect(buffers.map((buffer) => buffer.held)).toStrictEqual(buffers.map(() => 6));
  });

  test('pieces are joined in linear time', () => {
    const lookedAt = { bytes: 0 };
    /** Counts what is searched for RS: a search from the start at every push would be 2^39. */
    class Counted extends Uint8Array {
      override indexOf(value: number, from = 0): number {
        lookedAt.bytes += this.length - from;
        return super.indexOf(value, from);
      }
    }
    for (const record of [textRecord('x'.repeat(megabyte)), binaryRecord(Buffer.alloc(megabyte))]) {
      const buffer = new RecordBuffer(record[0] !== 0x78, megabyte * 2);
      const piece = new Counted(1);
      let joined: Uint8Array | undefined;
      for (const byte of record) {
        piece[0] = byte;
        buffer.push(piece, (bytes, start, end) => {
          joined = bytes.slice(start, end);
        });
      }
      expect(Buffer.compare(joined ?? Buffer.alloc(0), record)).toBe(0);
    }
    expect(lookedAt.bytes).toBeLessThanOrEqual(megabyte + 1);
  });

  test.each([
    ['text', false, textRecord(Array.from({ length: 900_000 }, (_, n) => n % 1000).join('-'))],
    [
      'binary',
      true,
      binaryRecord(Buffer.from(Uint32Array.from({ length: 800_000 }, (_, n) => n).buffer)),
    ],
  ])(
    'a long %s record is whole, and is not copied again and again as it grows',
    (_, binary, record) => {
      const copied = vi.spyOn(Uint8Array.prototype, 'set');
      onTestFinished(() => copied.mockRestore());
      const buffer = new RecordBuffer(binary, 16 * megabyte);
      let joined: Uint8Array | undefined;
      for (let at = 0; at < record.length; at += 100_000) {
        buffer.push(record.subarray(at, at + 100_000), (bytes, start, end) => {
          joined = bytes.subarray(start, end);
        });
        expect(buffer.reserved).toBeLessThanOrEqual(buffer.held + megabyte);
      }
      expect(Buffer.compare(joined!, record)).toBe(0);
      const bytes = copied.mock.calls.reduce((sum, [source]) => sum + source.length, 0);
      // Into blocks, out of them, and what the first block costs to grow.
      expect(bytes).toBeLessThanOrEqual(2 * record.length + 2 * megabyte);
      expect(buffer.held + buffer.reserved).toBe(0);
    },
  );

  describe('the memory of long records', () => {
    const HALF = textRecord('x'.repeat(100_000)).subarray(0, -1);
    const END = textRecord('');

    /** Pushes pieces of a record; answers what the sink was given, as it was then and as it is now. */
    function lengths(release?: (memory: Uint8Array) => void): [then: number, now: number] {
      const buffer = new RecordBuffer(false, 1_000_000, release);
      let then = 0;
      let joined: Uint8Array | undefined;
      for (const piece of [HALF, HALF, END]) {
        buffer.push(piece, (bytes) => {
          joined = bytes;
          then = bytes.length;
        });
      }
      return [then, joined!.length];
    }

    test('stays with the sink that a joined record belongs to', () => {
      expect(lengths()).toStrictEqual([200_001, 200_001]);
    });

    test('is released after the call, to be given back at once or later', () => {
      expect(lengths(discard)).toStrictEqual([200_001, 0]);
      const released: Uint8Array[] = [];
      expect(lengths((memory) => void released.push(memory))).toStrictEqual([200_001, 200_001]);
      expect(released.map(({ length }) => length >= 200_001)).toStrictEqual([true]);
    });

    test('is given back when it is outgrown, or dropped', () => {
      // Some blocks are kept for those who come next.
      for (let n = 0; n < 20; n++) giveBlock(new Uint8Array(megabyte));
      const given: number[] = [];
      const transfer = vi.spyOn(ArrayBuffer.prototype as unknown as Transferable, 'transfer');
      transfer.mockImplementation(function (this: ArrayBuffer) {
        given.push(this.byteLength / megabyte);
      });
      const buffer = new RecordBuffer(false, 2 ** 30);
      const chunk = Buffer.alloc(megabyte / 4, 'x');
      for (let n = 0; n < 4; n++) recordsOf(buffer, [chunk]);
      expect(given).toStrictEqual([0.25, 0.5]);
      for (let n = 0; n < 116; n++) recordsOf(buffer, [chunk]);
      expect(given.length).toBe(2);
      buffer.drop();
      expect(given.slice(2)).toStrictEqual(Array.from({ length: 14 }, () => 1));
      transfer.mockRestore();
      expect([buffer.held, buffer.reserved]).toStrictEqual([0, 0]);
      expect(recordsOf(buffer, [Buffer.from('a\x1e')])).toStrictEqual(['611e']);
    });
  });

  test('garbage ends in records or in a ProtocolError', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(fc.uint8Array()), (binary, chunks) => {
        const buffer = new RecordBuffer(binary, 20);
        codeOf(() => {
          recordsOf(buffer, chunks);
          expect(buffer.held).toBeLessThan(20);
        });
      }),
    );
  });
});
