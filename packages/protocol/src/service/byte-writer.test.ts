import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

/** Room for exactly `bytes` more, after `before` bytes of 0x7f. */
function writerWithRoom(before: number, bytes: number): ByteWriter {
  const writer = new ByteWriter(before + bytes);
  writer.raw(new Uint8Array(before).fill(0x7f));
  return writer;
}

function hexOf(write: (writer: ByteWriter) => void): string {
  const writer = new ByteWriter(1);
  write(writer);
  return writer.view().toString('hex');
}

describe('integers', () => {
  test.each([
    [0, '00'],
    [0x7f, '7f'],
    [0x80, 'cc80'],
    [0xff, 'ccff'],
    [0x100, 'cd0100'],
    [0xffff, 'cdffff'],
    [0x10000, 'ce00010000'],
    [0x7fffffff, 'ce7fffffff'],
    [0x80000000, 'ce80000000'],
    [0xffffffff, 'ceffffffff'],
    [0x100000000, 'cf0000000100000000'],
    [0x1ffffffff, 'cf00000001ffffffff'],
    [Number.MAX_SAFE_INTEGER, 'cf001fffffffffffff'],
    [-1, 'ff'],
    [-0x20, 'e0'],
    [-0x21, 'd0df'],
    [-0x80, 'd080'],
    [-0x81, 'd1ff7f'],
    [-0x8000, 'd18000'],
    [-0x8001, 'd2ffff7fff'],
    [-0x80000000, 'd280000000'],
  ])('%d is written in its shortest form', (value, hex) => {
    expect(hexOf((writer) => writer.int(value))).toBe(hex);
    expect(new ByteReader(Buffer.from(hex, 'hex')).int()).toBe(value);
  });

  test('those that do not fit are refused', () => {
    expect(() => hexOf((writer) => writer.int(-0x80000001))).toThrow(RangeError);
    expect(() => hexOf((writer) => writer.int32(0x80000000))).toThrow(RangeError);
  });

  test.each([
    ['0000000000000000', '00'],
    ['000000000000007f', '7f'],
    ['0000000000000080', 'cc80'],
    ['00000000ffffffff', 'ceffffffff'],
    ['0000000100000000', 'cf0000000100000000'],
    ['8000000000000000', 'cf8000000000000000'],
    ['ffffffffffffffff', 'cfffffffffffffffff'],
  ])('eight bytes %s are written in their shortest form', (bytes, hex) => {
    const value = new Uint8Array(Buffer.from(bytes, 'hex'));
    expect(hexOf((writer) => writer.uint64(value))).toBe(hex);
    expect(new ByteReader(Buffer.from(hex, 'hex')).uint64()).toStrictEqual(value);
  });
});

describe('text', () => {
  const lengths = [0, 1, 2, 30, 31, 32, 33, 47, 48, 49, 85, 86, 127, 128, 255, 256, 65_535, 65_536];

  test.each(['a', '\u007f', '\u0080', 'é', '語', '🙂', '\ud800'])(
    'of %j has the right header at every length',
    (character) => {
      for (const length of lengths) {
        const value = character.repeat(length);
        const expected = Buffer.from(value);
        const writer = new ByteWriter(1);
        writer.text(value);
        expect(writer.length).toBe(expected.length + textHeaderBytes(expected.length));
        expect(new ByteReader(writer.view()).text()).toBe(expected.toString());
      }
    },
  );

  test('of letters that differ late is not taken for ASCII', () => {
    for (let length = 1; length < 60; length++) {
      const value = `${'a'.repeat(length)}é`;
      const writer = new ByteWriter(1);
      writer.text(value);
      expect(new ByteReader(writer.view()).text()).toBe(value);
    }
  });

  test('comes out whole, whatever room is left', () => {
    for (let length = 0; length <= 60; length++) {
      for (let room = 0; room <= length + 6; room++) {
        const value = 'abcdefghij'.repeat(6).slice(0, length);
        const writer = writerWithRoom(10, room);
        writer.text(value);
        const reader = new ByteReader(writer.view(), 10);
        expect(reader.text(), `${length} characters into ${room} bytes`).toBe(value);
      }
    }
  });

  function textHeaderBytes(bytes: number): number {
    return bytes < 32 ? 1 : bytes < 0x100 ? 2 : bytes < 0x10000 ? 3 : 5;
  }
});

describe('headers', () => {
  test.each([
    [0, '90', '80', 'c400'],
    [15, '9f', '8f', 'c40f'],
    [16, 'dc0010', 'de0010', 'c410'],
    [255, 'dc00ff', 'de00ff', 'c4ff'],
    [256, 'dc0100', 'de0100', 'c50100'],
    [65_535, 'dcffff', 'deffff', 'c5ffff'],
    [65_536, 'dd00010000', 'df00010000', 'c600010000'],
    [0x80000000, 'dd80000000', 'df80000000', 'c680000000'],
  ])('of %d', (count, array, map, binary) => {
    expect(hexOf((writer) => writer.arrayHeader(count))).toBe(array);
    expect(hexOf((writer) => writer.mapHeader(count))).toBe(map);
    expect(hexOf((writer) => writer.binaryHeader(count))).toBe(binary);
  });

  test('nil and booleans', () => {
    expect(hexOf((writer) => writer.nil())).toBe('c0');
    expect(hexOf((writer) => writer.boolean(true))).toBe('c3');
    expect(hexOf((writer) => writer.boolean(false))).toBe('c2');
  });
});

describe('frames', () => {
  test.each([
    [0, '00'],
    [127, '7f'],
    [128, '8001'],
    [16_383, 'ff7f'],
    [16_384, '808001'],
    [70_012, 'fca204'],
    [2_097_151, 'ffff7f'],
    [2_097_152, '80808001'],
  ])('a body of %d bytes stands behind its length', (size, prefix) => {
    const body = Buffer.alloc(size, 'abcdefg');
    const writer = new ByteWriter(1);
    writer.byte(0x55);
    const frame = writer.beginFrame();
    writer.raw(body);
    writer.endFrame(frame);
    writer.byte(0xaa);
    const expected = Buffer.concat([Buffer.from(`55${prefix}`, 'hex'), body, Buffer.of(0xaa)]);
    expect(writer.view().equals(expected)).toBe(true);
  });

  test.each([
    [0x0fffffff, 'ffffff7f'],
    [0x10000000, '8080808001'],
    [0x7fffffff, 'ffffffff07'],
  ])('a length of %d', (value, hex) => {
    expect(hexOf((writer) => writer.varInt(value))).toBe(hex);
  });
});

describe('growth', () => {
  const step = fc.oneof(
    fc.integer().map((value) => (writer: ByteWriter) => writer.int(value)),
    fc
      .string({ unit: 'binary', maxLength: 60 })
      .map((value) => (writer: ByteWriter) => writer.text(value)),
    fc.uint8Array().map((value) => (writer: ByteWriter) => writer.binary(value)),
    fc.nat(70_000).map((count) => (writer: ByteWriter) => writer.mapHeader(count)),
    fc.uint8Array({ maxLength: 200 }).map((value) => (writer: ByteWriter) => {
      const frame = writer.beginFrame();
      writer.raw(value);
      writer.endFrame(frame);
    }),
  );

  test('changes nothing of what is written', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.array(step, { maxLength: 40 }), (initial, steps) => {
        const small = new ByteWriter(initial);
        const large = new ByteWriter(100_000);
        for (const write of steps) {
          write(small);
          write(large);
        }
        expect(small.view().equals(large.view())).toBe(true);
      }),
    );
  });

  test('is given back by clear() when it passed what is kept, and kept otherwise', () => {
    const writer = new ByteWriter(16);
    writer.raw(new Uint8Array(100));
    const { buffer } = writer;
    writer.clear(buffer.length);
    expect(writer.length).toBe(0);
    expect(writer.buffer).toBe(buffer);
    writer.clear(buffer.length - 1);
    expect(writer.buffer.length).toBe(16);
  });
});
