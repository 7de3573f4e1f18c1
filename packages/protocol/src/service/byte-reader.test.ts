import { describe, expect, test } from 'vitest';
import { ByteReader, frameBodyStart } from './byte-reader.ts';
import { bytes, protocolError } from './frames.test-support.ts';

/** What the codec's tests do not reach: they cover the rest of the reader. */

describe('int()', () => {
  test.each([
    ['cc07', 7],
    ['cd0007', 7],
    ['ce00000007', 7],
    ['cf0000000000000007', 7],
    ['d007', 7],
    ['d10007', 7],
    ['d200000007', 7],
    ['d30000000000000007', 7],
    ['d0ff', -1],
    ['d1ffff', -1],
    ['d2ffffffff', -1],
    ['d3ffffffffffffffff', -1],
    ['cf001fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['d3ffe0000000000001', Number.MIN_SAFE_INTEGER],
  ])('reads %s', (hex, value) => {
    const reader = new ByteReader(bytes(hex));
    expect(reader.int()).toBe(value);
    expect(reader.offset).toBe(reader.end);
  });

  test.each(['cf0020000000000000', 'd3ffe0000000000000', 'cfffffffffffffffff'])(
    'refuses %s, which no double holds',
    (hex) => {
      const error = protocolError(() => new ByteReader(bytes('00', hex), 1).int());
      expect(error).toMatchObject({ code: 'oversized', offset: 1 });
    },
  );
});

describe('isText()', () => {
  test.each([
    ['a3616263', 'abc', true],
    ['a3616263', 'ab', false],
    ['a3616263', 'abd', false],
    ['a3616263', 'abcd', false],
    ['a0', '', true],
    ['a0', 'a', false],
    ['a361c3bc', 'aü', true],
    ['a361c3bc', 'aö', false],
    ['a361c3bc', 'abc', false],
    ['a3616263', 'aü', false],
    ['d903616263', 'abc', true],
  ])('%s, %s: %s', (hex, text, is) => {
    const reader = new ByteReader(bytes(hex));
    expect(reader.isText(text)).toBe(is);
    expect(reader.offset).toBe(reader.end);
  });
});

describe('int32()', () => {
  test.each([0x7fffffff, -0x80000000])('reads %d', (value) => {
    const wide = Buffer.alloc(9, 0xd3);
    wide.writeBigInt64BE(BigInt(value), 1);
    expect(new ByteReader(wide).int32()).toBe(value);
  });

  test.each(['ce80000000', 'd3ffffffff7fffffff'])('refuses %s', (hex) => {
    expect(protocolError(() => new ByteReader(bytes(hex)).int32())?.code).toBe('oversized');
  });
});

test('uint64() reads a signed integer of eight bytes as long as it is not negative', () => {
  const value = new ByteReader(bytes('d3 7fffffffffffffff')).uint64();
  expect(Buffer.from(value).toString('hex')).toBe('7fffffffffffffff');
});

test.each(['dc0002 01 02', 'dd00000002 01 02', '92 01 02'])('arrayHeader() reads %s', (hex) => {
  expect(new ByteReader(bytes(hex)).arrayHeader()).toBe(2);
});

test.each(['de0001 01 02', 'df00000001 01 02', '81 01 02'])('mapHeader() reads %s', (hex) => {
  expect(new ByteReader(bytes(hex)).mapHeader()).toBe(1);
});

test('nil() says no at the end, whatever is behind it', () => {
  const reader = new ByteReader(bytes('c0 c0'), 0, 1);
  expect([reader.nil(), reader.nil(), reader.offset]).toEqual([true, false, 1]);
});

test.each([
  ['int', '80'],
  ['int', 'c0'],
  ['int', 'cb3ff8000000000000'],
  ['int', 'd4ff00'],
  ['uint64', 'd38000000000000000'],
  ['text', 'c40161'],
  ['text', 'dc000161'],
  ['binary', 'a161'],
  ['binary', 'c701ff00'],
  ['timestamp', 'ca3fc00000'],
  ['timestamp', 'd90161'],
  ['arrayHeader', '80'],
  ['arrayHeader', 'a0'],
  ['arrayHeader', 'de0000'],
  ['mapHeader', '90'],
] as const)('%s() does not read %s', (kind, hex) => {
  const error = protocolError(() => new ByteReader(bytes(hex))[kind]());
  expect(error).toMatchObject({ code: 'wrong-type', offset: 0 });
});

test('an error counts its offset from the start of the bytes given', () => {
  const reader = new ByteReader(bytes('ffff a261'), 2);
  expect(protocolError(() => reader.text())).toMatchObject({ code: 'truncated', offset: 3 });
});

test('a reader of a plain array gives slices of the very same memory', () => {
  const plain = Uint8Array.of(0, 0, 0xc4, 2, 5, 6).subarray(2);
  const read = new ByteReader(plain).binary();
  expect([...read]).toEqual([5, 6]);
  expect(read.buffer).toBe(plain.buffer);
});

test('frameBodyStart() is behind the prefix, however long that is', () => {
  for (const prefix of ['00', '7f', '8001', 'ffff7f', 'ffffffff07']) {
    const frame = bytes('ff', prefix, '91 03');
    expect(frameBodyStart(frame, 1)).toBe(1 + prefix.length / 2);
  }
});
