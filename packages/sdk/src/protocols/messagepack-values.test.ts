import { decode, encode } from '@msgpack/msgpack';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { InvalidDataException } from '../errors.ts';
import { findProtocol } from './index.ts';
import { PreciseDate } from './precise-date.ts';
import { MessagePackExtension } from './values.ts';

const plain = findProtocol('messagepack')!;
const withBigInt = findProtocol('messagepack', true)!;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** The bytes that a value is written as, be it an item, a result or an argument. */
function written(value: unknown, protocol = plain): string {
  const item = /940280a131(.*)$/.exec(hex(protocol.streamItem('1', value)))![1]!;
  expect(/950380a13103(.*)$/.exec(hex(protocol.result('1', value)))![1]).toBe(item);
  expect(/950180c0a16d91(.*)$/.exec(hex(protocol.invocation('m', [value])))![1]).toBe(item);
  return item;
}

/** The item whose value has these bytes. */
function read(value: string, protocol = plain) {
  const body = Buffer.from(`940280a131${value}`, 'hex');
  const record = Buffer.concat([prefix(body.length), body]);
  const message = protocol.parse(record, 0, record.length);
  if (message?.type !== 2) throw new Error('no item');
  return message;
}

function prefix(length: number): Buffer {
  const bytes: number[] = [];
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** What Microsoft.AspNetCore.SignalR.Protocols.MessagePack 10.0.15 was seen to write. */
const DOT_NET: [what: string, bytes: string, value: unknown][] = [
  [
    'DateTime.MaxValue',
    'c70cff3b9ac99c0000003afff4417f',
    new PreciseDate(253402300799999, 999_900),
  ],
  ['DateTime.MinValue', 'c70cff00000000fffffff1886e0900', new Date('0001-01-01T00:00:00Z')],
  ['100 ns', 'd7ff1d6f32f0695735a5', new PreciseDate(Date.UTC(2026, 0, 2, 3, 4, 5, 123), 456_700)],
  [
    '100 ns of 2600',
    'c70cff0000006400000004a0ffef25',
    new PreciseDate(Date.UTC(2600, 0, 2, 3, 4, 5), 100),
  ],
  [
    '100 ns of 1900',
    'c70cff00000064ffffffff7c56fe25',
    new PreciseDate(Date.UTC(1900, 0, 2, 3, 4, 5), 100),
  ],
  ['a DateTimeOffset', '92d6ff386d51903c', [new Date('2000-01-01T01:00:00Z'), 60]],
  ['a TimeSpan', 'ce00989680', 10_000_000],
  ['a decimal', 'a3312e35', '1.5'],
  ['bytes', 'c40300ff01', Buffer.from([0, 255, 1])],
  [
    'Dictionary<bool, int>',
    '82c301c202',
    new Map([
      [true, 1],
      [false, 2],
    ]),
  ],
  ['Dictionary<int, string>', '8101a161', new Map([[1, 'a']])],
  [
    'Dictionary<DateTime, int>',
    '81d6ff386d438001',
    new Map([[new Date('2000-01-01T00:00:00Z'), 1]]),
  ],
  ['Dictionary<string, int>', '81a16101', { a: 1 }],
  ['2^53 + 2', 'cf0020000000000002', 9007199254740994],
];
const DOT_NET_LARGE: [what: string, bytes: string, value: bigint][] = [
  ['long.MaxValue', 'cf7fffffffffffffff', 2n ** 63n - 1n],
  ['ulong.MaxValue', 'cfffffffffffffffff', 2n ** 64n - 1n],
  ['2^53 + 1', 'cf0020000000000001', 9007199254740993n],
  ['-(2^53 + 1)', 'd3ffdfffffffffffff', -9007199254740993n],
  ['long.MinValue', 'd38000000000000000', -(2n ** 63n)],
];

describe('of .NET', () => {
  test.each(DOT_NET)('%s is read, and the same bytes when passed on', (_what, bytes, value) => {
    expect(read(bytes)).toMatchObject({ item: value, fault: undefined });
    expect(written(read(bytes).item)).toBe(bytes);
  });

  test('times keep what a Date does not show', () => {
    const last = read('c70cff3b9ac99c0000003afff4417f').item as Date;
    expect(last).toBeInstanceOf(Date);
    expect(last.toISOString()).toBe('9999-12-31T23:59:59.999Z');
    expect(JSON.stringify(last)).toBe('"9999-12-31T23:59:59.9999999Z"');
    expect(JSON.stringify(read('c70cff00000000fffffff1886e0900').item)).toBe(
      '"0001-01-01T00:00:00.000Z"',
    );
    last.setUTCMilliseconds(998);
    expect(JSON.stringify(last)).toBe('"9999-12-31T23:59:59.998Z"');
    expect(written(last)).toBe(written(new Date(last)));
  });

  test.each(DOT_NET_LARGE)('%s is a BigInt with useBigInt', (_what, bytes, value) => {
    expect(read(bytes, withBigInt).item).toBe(value);
    expect(written(value, withBigInt)).toBe(bytes);
  });

  test.each(DOT_NET_LARGE.slice(0, 4))('%s is a fault without it', (_what, bytes, value) => {
    const { fault } = read(bytes);
    expect(fault!.message).toBe(
      `${value} has more digits than a number keeps: turn on the hub's option useBigInt.`,
    );
    expect(() => plain.result('1', value)).toThrow('a BigInt cannot be sent');
  });
});

describe('writes', () => {
  const own = (toJSON: () => unknown) => ({ toJSON });

  test.each<[string, unknown, string]>([
    ['integers beyond 2^53 as integers', 2 ** 53, 'cf0020000000000000'],
    ['those below', -(2 ** 53), 'd3ffe0000000000000'],
    ['those below int32', -(2 ** 31) - 1, 'd3ffffffff7fffffff'],
    ['the largest', 2 ** 63, 'cf8000000000000000'],
    ['larger ones as floats', 2 ** 64, 'cb43f0000000000000'],
    ['fractions', 1.5, 'cb3ff8000000000000'],
    ['no number', NaN, 'cb7ff8000000000000'],
    ['undefined', undefined, 'c0'],
    ['functions', () => 1, 'c0'],
    ['symbols', Symbol('s'), 'c0'],
    ['a toJSON of undefined', own(() => undefined), 'c0'],
    ['a toJSON', [new URL('http://h/')], '91a9687474703a2f2f682f'],
    ['members without those', { a: undefined, b: () => 1, c: Symbol('s'), d: 1 }, '81a16401'],
    ['no time', new Date(NaN), 'c0'],
    ['a Set', new Set([1, 2]), '920102'],
    ['numbers', new Uint16Array([1, 2]), '920102'],
    ['a buffer of bytes', new Uint8Array([1]).buffer, 'c40101'],
    ['an extension', new MessagePackExtension(5, new Uint8Array([1, 2])), 'd5050102'],
    ['a long extension', new MessagePackExtension(-2, new Uint8Array(3)), 'c703fe000000'],
  ])('%s', (_what, value, bytes) => {
    expect(written(value)).toBe(bytes);
  });

  test('an extension of any length', () => {
    for (const size of [0, 1, 2, 3, 4, 8, 15, 16, 17, 255, 256, 70_000]) {
      const value = new MessagePackExtension(7, Buffer.alloc(size, 9));
      expect(read(written(value)).item).toEqual(value);
    }
  });

  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  test.each<[string, unknown, string]>([
    ['what contains itself', cyclic, 'contains itself'],
    ['BigInts', [1n], 'a BigInt cannot be sent'],
    [
      'what throws',
      own(() => {
        throw new RangeError('broken');
      }),
      'broken',
    ],
  ])('nothing for %s, and goes on', (_what, value, why) => {
    expect(() => plain.result('1', value)).toThrow(why);
    expect(written('a')).toBe('a161');
  });

  test('no integer of more than 64 bits', () => {
    for (const value of [2n ** 64n, -(2n ** 63n) - 1n]) {
      expect(() => withBigInt.result('1', value)).toThrow(/^-?\d+ has more than the 64 bits/);
    }
  });

  test('a message while it writes another', () => {
    const inner: string[] = [];
    const value = own(() => {
      inner.push(written('inner'));
      return 'outer';
    });
    expect(written(value)).toBe('a56f75746572');
    expect(inner).toContain('a5696e6e6572');
  });

  test('what another implementation reads, and reads what that writes', () => {
    const leaf = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.array(tie('value'), { maxLength: 20 }),
        fc.dictionary(
          fc.string().filter((name) => name !== '__proto__'),
          tie('value'),
          { maxKeys: 20, noNullPrototype: true },
        ),
      ),
    }));
    fc.assert(
      fc.property(value, (any) => {
        const bytes = written(any);
        expect(read(hex(encode(any))).item).toEqual(read(bytes).item);
        expect(encode(decode(Buffer.from(bytes, 'hex')))).toEqual(encode(any));
      }),
    );
  });
});

describe('reads', () => {
  test.each<[string, string, unknown]>([
    ['an extension', 'd60501020304', new MessagePackExtension(5, Buffer.from([1, 2, 3, 4]))],
    [
      'texts first in a map of other keys',
      '82a16101c302',
      new Map<unknown, number>([
        ['a', 1],
        [true, 2],
      ]),
    ],
    [
      'nil, lists and bytes as keys',
      '83c0019002c4010503',
      new Map<unknown, number>([
        [null, 1],
        [[], 2],
        [Buffer.from([5]), 3],
      ]),
    ],
    ['small integers in 64 bits', '92cf0000000000000005d3fffffffffffffffb', [5, -5]],
    ['floats', 'ca3fc00000', 1.5],
  ])('%s', (_what, bytes, value) => {
    expect(read(bytes)).toMatchObject({ item: value, fault: undefined });
  });

  test('a name of old as any other', () => {
    const item = read('81a95f5f70726f746f5f5f81a16101').item as object;
    expect(Object.entries(item)).toEqual([['__proto__', { a: 1 }]]);
    expect(Object.getPrototypeOf(item)).toBe(Object.prototype);
    expect(written(item)).toBe('81a95f5f70726f746f5f5f81a16101');
  });

  test.each([
    ['a timestamp of another length', 'd5ff0000'],
    ['a timestamp of too many nanoseconds', 'd7ffffffffff00000000'],
    ['a timestamp that no Date has', 'c70cff000000007fffffffffffffff'],
    ['a byte that begins nothing', 'c1'],
    ['too many levels', `${'91'.repeat(600)}c0`],
    ['such things within others', '9281a161d5ff0000c3'],
  ])('%s as a fault of the message alone', (_what, bytes) => {
    expect(read(bytes)).toMatchObject({
      invocationId: '1',
      fault: expect.any(InvalidDataException),
    });
  });

  test('a call with such an argument, its uploads included', () => {
    const body = Buffer.from('960180a131a16d91d5ff000091a132', 'hex');
    const record = Buffer.concat([prefix(body.length), body]);
    expect(plain.parse(record, 0, record.length)).toMatchObject({
      type: 1,
      invocationId: '1',
      target: 'm',
      streamIds: ['2'],
      fault: expect.any(InvalidDataException),
    });
    const answer = Buffer.from('950380a13103d5ff0000', 'hex');
    const completion = Buffer.concat([prefix(answer.length), answer]);
    expect(plain.parse(completion, 0, completion.length)).toMatchObject({
      type: 3,
      fault: expect.any(InvalidDataException),
    });
  });
});
