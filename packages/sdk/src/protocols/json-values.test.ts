import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { InvalidDataException } from '../errors.ts';
import { findProtocol } from './index.ts';
import { PreciseDate } from './precise-date.ts';

const json = findProtocol('json')!;
const jsonWithBigInt = findProtocol('json', true)!;

/** What a call's argument is written as, as an item, a result and an argument alike. */
function written(value: unknown, protocol = json): string {
  const texts = [
    protocol.result('1', value),
    protocol.streamItem('1', value),
    protocol.invocation('m', [value]),
  ].map((bytes) => Buffer.from(bytes).toString());
  const [result, item, argument] = texts.map((text) => /(?:result|item|uments)":(.*)}/.exec(text)!);
  expect([item![1], argument![1]]).toEqual([result![1], `[${result![1]}]`]);
  return result![1]!;
}

function read(text: string, protocol = json) {
  const record = Buffer.from(
    `{"type":1,"invocationId":"1","target":"m","arguments":[${text}]}\x1e`,
  );
  const message = protocol.parse(record, 0, record.length);
  if (message?.type !== 1) throw new Error('no call');
  return message;
}

const bytes = new Uint8Array([9, 0, 255, 1, 9]).subarray(1, 4);
const own = (toJSON: () => unknown) => ({ toJSON });
class Point {
  readonly x = 1;
  readonly data = bytes;
  get far(): boolean {
    return true;
  }
}

describe('JSON has', () => {
  test.each<[string, unknown, string]>([
    ['bytes', bytes, '"AP8B"'],
    ['a Buffer', Buffer.from(bytes), '"AP8B"'],
    ['a buffer of bytes', bytes.slice().buffer, '"AP8B"'],
    ['a view of bytes', new DataView(bytes.buffer, 1, 3), '"AP8B"'],
    ['clamped bytes', new Uint8ClampedArray(bytes), '"AP8B"'],
    ['no bytes', new Uint8Array(), '""'],
    ['bytes in objects', { a: { b: Buffer.from(bytes), c: 1 } }, '{"a":{"b":"AP8B","c":1}}'],
    ['bytes in lists', [[bytes], 'x', [1]], '[["AP8B"],"x",[1]]'],
    ['bytes in a Map', new Map([['k', { v: bytes }]]), '{"k":{"v":"AP8B"}}'],
    ['bytes in a Set', new Set([bytes]), '["AP8B"]'],
    ['bytes in a class', new Point(), '{"x":1,"data":"AP8B"}'],
    ['bytes out of a toJSON', own(() => ({ b: bytes })), '{"b":"AP8B"}'],
    [
      'a Map',
      new Map<unknown, unknown>([
        [1, 'a'],
        [true, 'b'],
        [2n, 'c'],
      ]),
      '{"1":"a","2":"c","true":"b"}',
    ],
    ['a Map of times', new Map([[new Date(0), 1]]), '{"1970-01-01T00:00:00.000Z":1}'],
    ['a Set', new Set(['a', undefined]), '["a",null]'],
    ['numbers', new Float32Array([1.5, NaN]), '[1.5,null]'],
    ['undefined', undefined, 'null'],
    ['a function', () => 1, 'null'],
    ['a symbol', Symbol('s'), 'null'],
    ['a toJSON of undefined', own(() => undefined), 'null'],
    ['a toJSON of a function', own(() => () => 1), 'null'],
    [
      'members that it has no word for',
      { a: undefined, b: () => 1, c: Symbol('s'), d: own(() => undefined), e: 1 },
      '{"e":1}',
    ],
    ['items that it has no word for', [undefined, () => 1, Symbol('s')], '[null,null,null]'],
    ['a time', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['no time', new Date(NaN), 'null'],
    ['a time of .NET', new PreciseDate(0, 123_400), '"1970-01-01T00:00:00.0001234Z"'],
    ['no number', [NaN, Infinity, -0], '[null,null,0]'],
    ['texts around', [new String('a'), new URL('http://h/')], '["a","http://h/"]'],
    ['a name of old', JSON.parse('{"__proto__":{"a":1},"b":[]}'), '{"__proto__":{"a":1},"b":[]}'],
  ])('%s', (_what, value, text) => {
    expect(written(value)).toBe(text);
  });

  test('bytes beside a name of old', () => {
    const value = JSON.parse('{"__proto__":1}') as Record<string, unknown>;
    value['b'] = bytes;
    expect(written(value)).toBe('{"__proto__":1,"b":"AP8B"}');
    Object.defineProperty(value, '__proto__', { value: bytes });
    expect(written(value)).toBe('{"__proto__":"AP8B","b":"AP8B"}');
  });

  test('whatever JSON.stringify has for it, and leaves it alone', () => {
    fc.assert(
      fc.property(fc.anything({ withDate: true, withNullPrototype: true }), (value) => {
        expect(written(value)).toBe(JSON.stringify(value) ?? 'null');
      }),
    );
    const value = Object.freeze({ a: Object.freeze([bytes]) });
    expect(written(value)).toBe('{"a":["AP8B"]}');
    expect(value.a[0]).toBe(bytes);
  });
});

describe('JSON has nothing for', () => {
  const cyclic: unknown[] = [];
  cyclic.push(1, { cyclic });
  const broken = {
    get a(): never {
      throw new RangeError('broken');
    },
  };

  test.each<[string, unknown, string]>([
    ['a BigInt', 1n, "a BigInt cannot be sent: turn on the hub's option useBigInt"],
    ['a BigInt inside', [{ a: [1n] }], 'a BigInt cannot be sent'],
    ['BigInts', new BigInt64Array(1), 'a BigInt cannot be sent'],
    ['what contains itself', cyclic, 'has more than 500 levels, or contains itself'],
    ['a getter that throws', broken, 'broken'],
    ['a toJSON that throws', own(() => broken.a), 'broken'],
    ['keys of several values', new Map([[{}, 1]]), 'a Map whose keys are no single values'],
  ])('%s', (_what, value, why) => {
    expect(() => json.result('1', value)).toThrow(why);
    expect(() => json.streamItem('1', value)).toThrow(why);
    expect(() => json.invocation('m', [value])).toThrow(why);
  });
});

describe('integers beyond 2^53', () => {
  const digits = '9007199254740993';

  test('go both ways with useBigInt', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.string(), (integer, text) => {
        const value = { integer, list: [integer, text, `"${integer}\\`], [String(integer)]: 1.5 };
        const large = !Number.isSafeInteger(Number(integer));
        const bytes = jsonWithBigInt.invocation('m', [value]);
        const args = jsonWithBigInt.parse(bytes, 0, bytes.length) as { args: unknown };
        const back = large ? integer : Number(integer);
        expect(args.args).toEqual([
          { ...value, integer: back, list: [back, text, `"${integer}\\`] },
        ]);
      }),
    );
  });

  test('are digits on the wire', () => {
    expect(written(9007199254740993n, jsonWithBigInt)).toBe(digits);
    expect(written(new Map([[2n ** 64n, [-(2n ** 64n)]]]), jsonWithBigInt)).toBe(
      '{"18446744073709551616":[-18446744073709551616]}',
    );
    expect(written(new BigInt64Array([5n]), jsonWithBigInt)).toBe('[5]');
  });

  test.each([
    [digits, 9007199254740993n],
    [`-${digits}`, -9007199254740993n],
    ['9007199254740992', 9007199254740992n],
    ['9007199254740991', 9007199254740991],
    ['1234567890123456', 1234567890123456],
    [`"${digits}"`, digits],
    [`"\\"${digits}"`, `"${digits}`],
    [`{"${digits}":1}`, { [digits]: 1 }],
    [`${digits}.5`, Number(`${digits}.5`)],
    [`${digits}e1`, Number(`${digits}e1`)],
    [`0.${digits}`, 0.9007199254740993],
  ])('%s is read with useBigInt', (text, value) => {
    expect(read(text, jsonWithBigInt)).toMatchObject({ args: [value], fault: undefined });
  });

  test.each([digits, `-${digits}`, `{"a":["x",${digits}]}`, '18446744073709551615'])(
    '%s is a fault without it, of the call alone',
    (text) => {
      const { fault, invocationId } = read(text);
      expect(invocationId).toBe('1');
      expect(fault).toBeInstanceOf(InvalidDataException);
      expect(fault!.message).toContain(
        `${/-?\d{16,}/.exec(text)![0]} has more digits than a number keeps`,
      );
    },
  );

  test.each([
    '9007199254740992',
    '9007199254740994',
    '1152921504606847000',
    '1e20',
    '10000000000000000000000',
    `"${digits}"`,
    `${digits}.5`,
  ])('%s is read without it, since a number keeps that', (text) => {
    expect(read(text)).toMatchObject({ args: [JSON.parse(text)], fault: undefined });
  });

  test.each([`${digits}x`, `0${digits}`, `{${digits}:1}`, `${digits}.`])(
    '%s is no JSON, with or without',
    (text) => {
      expect(() => read(text)).toThrow(InvalidDataException);
      expect(() => read(text, jsonWithBigInt)).toThrow(InvalidDataException);
    },
  );

  test('are found in texts of any length', () => {
    const long = '\\"a\\\\'.repeat(1_000_000);
    expect(read(`"${long}",${digits}`, jsonWithBigInt).args[1]).toBe(9007199254740993n);
    expect(read(`"${long}",${digits}`).fault).toBeInstanceOf(InvalidDataException);
  });
});
