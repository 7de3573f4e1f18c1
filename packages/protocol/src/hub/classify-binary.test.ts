import { ExtData, decode, encode } from '@msgpack/msgpack';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTooDeep } from './classify-binary.ts';
import { classifyRecord } from './classify.ts';
import { RecordInfo } from './record-info.ts';

interface Known {
  type: number;
  id: string | undefined;
}

const info = new RecordInfo();

/** Classifies a record that lies between others. */
function classify(record: Uint8Array): Known {
  const bytes = Buffer.concat([Buffer.of(0x02, 0x91, 0x06), record, Buffer.of(0xa1, 0x37, 0xc0)]);
  classifyRecord(true, bytes, 3, 3 + record.length, info);
  return { type: info.type, id: info.idText(bytes) };
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

function framed(body: Uint8Array): Buffer {
  const prefix: number[] = [];
  let rest = body.length;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) prefix.push((rest % 0x80) | 0x80);
  return Buffer.concat([Buffer.of(...prefix, rest), body]);
}

describe('messages as real peers write them', () => {
  test.each<[string, number, string | undefined]>([
    ['0F 95 01 80 A1 30 A4 53 65 6E 64 92 2A A2 68 69', 1, '0'],
    ['0B 95 01 80 C0 A4 53 65 6E 64 91 2A', 1, undefined],
    ['0C 96 01 80 A1 31 A2 55 70 90 91 A1 30', 1, '1'],
    ['0B 95 04 80 A1 32 A3 43 6E 74 91 03', 4, '2'],
    ['06 94 02 80 A1 32 07', 2, '2'],
    ['06 94 03 80 A1 32 02', 3, '2'],
    ['07 95 03 80 A1 32 03 07', 3, '2'],
    ['07 95 03 80 A1 32 03 C0', 3, '2'],
    ['0B 95 03 80 A1 32 01 A4 62 6F 6F 6D', 3, '2'],
    ['05 93 05 80 A1 32', 5, '2'],
    ['02 91 06', 6, undefined],
    ['03 92 07 C0', 7, undefined],
    ['04 93 07 C0 C3', 7, undefined],
    ['03 92 08 24', 8, undefined],
    ['05 92 09 CD 01 2C', 9, undefined],
    ['0B 95 01 81 A1 61 A1 62 C0 A1 58 90', 1, undefined],
    ['06 95 01 80 A0 A0 90', 1, undefined],
  ])('%s', (text, type, id) => {
    expect(classify(hex(text))).toStrictEqual({ type, id });
  });
});

describe('other widths of', () => {
  test.each<[string, number]>([
    ['03', 3],
    ['cc 03', 3],
    ['cd 00 03', 3],
    ['ce 00 00 00 03', 3],
    ['cf 00 00 00 00 00 00 00 03', 3],
    ['d0 03', 3],
    ['d1 00 03', 3],
    ['d2 00 00 00 03', 3],
    ['d3 00 00 00 00 00 00 00 03', 3],
    ['cc ff', 255],
    ['ce 7f ff ff ff', 2 ** 31 - 1],
    ['ce 80 00 00 00', 0],
    ['cf 00 00 00 01 00 00 00 03', 0],
    ['cf 80 00 00 00 00 00 00 03', 0],
    ['d3 00 00 00 01 00 00 00 03', 0],
    ['d0 7f', 127],
    ['d0 80', 0],
    ['d0 ff', 0],
    ['d1 7f ff', 32_767],
    ['d1 80 00', 0],
    ['d1 ff fd', 0],
    ['d2 ff ff ff fd', 0],
    ['d3 ff ff ff ff ff ff ff fd', 0],
    ['ff', 0],
    ['ca 40 40 00 00', 0],
    ['c0', 0],
    ['a1 33', 0],
    ['80', 0],
    ['d4 00 03', 0],
  ])('the type: %s', (text, type) => {
    const id = type === 3 ? '12' : undefined;
    expect(classify(framed(hex(`93 ${text} 80 a2 31 32`)))).toStrictEqual({ type, id });
  });

  test.each(['93', 'dc 00 03', 'dd 00 00 00 03'])('the array: %s', (text) => {
    const record = framed(hex(`${text} 05 80 a1 32`));
    expect(classify(record)).toStrictEqual({ type: 5, id: '2' });
  });

  test.each(['91 06', '91 cc 06', '91 cd 00 06'])('a type that ends the message: %s', (text) => {
    expect(classify(framed(hex(text)))).toStrictEqual({ type: 6, id: undefined });
  });

  test.each(['a1 32', 'd9 01 32', 'da 00 01 32', 'db 00 00 00 01 32'])('the id: %s', (text) => {
    expect(classify(framed(hex(`93 05 80 ${text}`)))).toStrictEqual({ type: 5, id: '2' });
    expect(info.id).toBe(2);
  });
});

const key = fc.string().filter((text) => text !== '__proto__');
const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double()),
    fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 32, maxLength: 300 })),
    fc.uint8Array({ maxLength: 300 }),
    fc.date({ noInvalidDate: true }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(key, tie('value'), { maxKeys: 20 }),
  ),
})).value;

const anyId = fc.oneof(
  fc.constantFrom(null, '', '0', '2147483647', '2147483648', '007', 's1', '-1', '\\u0037'),
  fc.nat().map(String),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom(7, ['7'], { id: '7' }, new Uint8Array(3)),
);

const anyMessage = fc
  .tuple(
    fc.nat(10),
    fc.dictionary(key, fc.string(), { maxKeys: 20 }),
    anyId,
    fc.array(anyValue, { maxLength: 3 }),
  )
  .map(([type, headers, id, rest]) => [type, headers, id, ...rest]);

function expected(message: readonly unknown[]): Known {
  const type = message[0] as number;
  const id = message[2];
  const has = type >= 1 && type <= 5 && typeof id === 'string' && id !== '';
  return { type, id: has ? id : undefined };
}

test('finds what a decoder finds', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const body = encode(message);
      const decoded = decode(body) as unknown[];
      const found = classify(framed(body));
      expect(found).toStrictEqual(expected(decoded));
      const number = Number(found.id);
      const plain = String(number | 0) === found.id && number >= 0;
      expect(info.id).toBe(plain ? number : -1);
    }),
    { numRuns: 300 },
  );
});

test('steps over headers of any kind, and is not fooled by what is in them', () => {
  fc.assert(
    fc.property(anyValue, fc.integer({ min: 1, max: 5 }), (headers, type) => {
      const body = encode([type, headers, 'id', { type: 3 }]);
      expect(classify(framed(body))).toStrictEqual({ type, id: 'id' });
    }),
    { numRuns: 300 },
  );
});

test.each<[string, unknown]>([
  ['str 32', 'x'.repeat(70_000)],
  ['str 16', 'x'.repeat(300)],
  ['bin 32', new Uint8Array(70_000)],
  ['bin 16', new Uint8Array(300)],
  ['array 32', Array.from({ length: 70_000 }, () => 'a')],
  ['array 16', Array.from({ length: 300 }, () => [1.5])],
  ['map 32', Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`k${i}`, i]))],
  ['map 16', Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, null]))],
  ...[0, 1, 2, 3, 4, 8, 16, 17, 300, 70_000].map((size): [string, unknown] => [
    `ext of ${size}`,
    new ExtData(5, new Uint8Array(size)),
  ]),
])('steps over %s', (_, value) => {
  expect(classify(framed(encode([3, value, '7'])))).toStrictEqual({ type: 3, id: '7' });
});

test.each(['e0', 'ff', '93 e0 f0 ff'])('steps over negative numbers: %s', (text) => {
  const record = framed(hex(`93 03 ${text} a1 37`));
  expect(classify(record)).toStrictEqual({ type: 3, id: '7' });
});

test.each(['83', 'c4 05', 'c5 00 05', 'd9 05', 'de 00 03', 'df 00 00 00 03', '03'])(
  'what starts with %s is no array, and no hub message',
  (text) => {
    const record = framed(hex(`${text} 05 80 a1 32 c0 c0 c0`));
    expect(classify(record)).toStrictEqual({ type: 0, id: undefined });
  },
);

test.each(['91 32', 'dc 00 01 32', 'c4 01 32'])('an id that is no text is none: %s', (text) => {
  expect(classify(framed(hex(`93 05 80 ${text}`)))).toStrictEqual({ type: 5, id: undefined });
});

test.each([
  ['', '91 06'],
  ['91', '06'],
  ['91 cd 00', '06'],
  ['dc 00', '01 06'],
])('what follows the record %j is not in it: %s', (body, after) => {
  const record = framed(hex(body));
  const bytes = Buffer.concat([record, hex(after)]);
  classifyRecord(true, bytes, 0, record.length, info);
  expect(info.type).toBe(0);
});

test('what follows a short array is not in it', () => {
  expect(classify(framed(hex('dc 00 02 03 80 a1 32')))).toStrictEqual({ type: 0, id: undefined });
  expect(classify(framed(hex('92 03 80 a1 32')))).toStrictEqual({ type: 0, id: undefined });
  expect(classify(framed(hex('90 03 80 a1 32')))).toStrictEqual({ type: 0, id: undefined });
});

test('cut off anywhere before the end of the id, it is no hub message', () => {
  fc.assert(
    fc.property(fc.dictionary(key, fc.string(), { maxKeys: 3 }), fc.string(), (headers, id) => {
      const body = encode([3, headers, id]);
      for (let end = 0; end < body.length; end++) {
        expect(classify(framed(body.subarray(0, end)))).toStrictEqual({ type: 0, id: undefined });
      }
    }),
    { numRuns: 50 },
  );
});

test('takes anything: no throw, and a range within the record', () => {
  const body = fc.oneof(
    fc.uint8Array(),
    fc.uint8Array().map((rest) => Uint8Array.of(0x93, 0x03, ...rest)),
    fc.uint8Array().map((rest) => Uint8Array.of(0x93, 0x03, 0x80, ...rest)),
  );
  fc.assert(
    fc.property(body, fc.boolean(), (body, whole) => {
      const bytes = whole ? framed(body) : body;
      classifyRecord(true, bytes, 0, bytes.length, info);
      expect(info.idStart).toBeLessThanOrEqual(info.idEnd);
      expect(info.idEnd).toBeLessThanOrEqual(bytes.length);
      info.idText(bytes);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['deep nesting', '91', 1_000_000],
  ['arrays that announce too much', 'dd ff ff ff ff', 200_000],
  ['maps that announce too much', 'df ff ff ff ff', 200_000],
])('a megabyte of %s is one pass', (_, piece, times) => {
  const body = Buffer.concat([hex('93 03'), Buffer.alloc(hex(piece).length * times, hex(piece))]);
  expect(classify(framed(body))).toStrictEqual({ type: 0, id: undefined });
});

describe('too deep', () => {
  /** A record whose array, the first level, holds a value so many levels deep behind others. */
  const nested = (levels: number, level: string, before = '') =>
    framed(hex(`92 ${before || '01'} ${level.repeat(levels - 1)} 01`));
  const tooDeep = (record: Uint8Array) => isTooDeep(record, 0, record.length);

  test.each([
    ['arrays', '91'],
    ['maps, in a value', '81 a161'],
    ['arrays 16', 'dc 00 01'],
    ['arrays 32', 'dd 00 00 00 01'],
    ['maps 16', 'de 00 01 a161'],
    ['maps 32', 'df 00 00 00 01 a161'],
    ['arrays that have more elements', '92 c0'],
    ['maps that have more members', '82 0102 03'],
  ])('are %s on more than 100 levels', (_, level) => {
    expect(tooDeep(nested(100, level))).toBe(false);
    expect(tooDeep(nested(101, level))).toBe(true);
  });

  test.each([
    ['a string', 'a3 919191'],
    ['a long string', `d9 96 ${'91'.repeat(150)}`],
    ['a binary', `c5 00 96 ${'91'.repeat(150)}`],
    ['an extension', `c7 96 05 ${'91'.repeat(150)}`],
    ['an extension of 16', `d8 05 ${'91'.repeat(16)}`],
    ['an array of numbers', `93 cb ${'91'.repeat(8)} cd 9191 ce ${'91'.repeat(4)}`],
    ['negative numbers', '93 e0 f0 ff'],
    ['an array of empty ones', '95 90 80 dc0000 de0000 dd00000000'],
    ['arrays, one behind the other', `dc 00 96 ${'91 01'.repeat(150)}`],
  ])('are counted behind %s, which adds none', (_, before) => {
    expect(tooDeep(nested(100, '91', before))).toBe(false);
    expect(tooDeep(nested(101, '91', before))).toBe(true);
  });

  test('is what stands in the record alone, not what stands around it', () => {
    const deep = nested(101, '91');
    const around = Buffer.concat([Buffer.alloc(200, 0x91), deep, Buffer.alloc(200, 0x91)]);
    expect(isTooDeep(around, 200, 200 + deep.length)).toBe(true);
    const flat = nested(100, '91');
    flat.copy(around, 200);
    expect(isTooDeep(around, 200, 200 + flat.length)).toBe(false);
  });

  test('is no record that ends too soon, whatever follows it', () => {
    for (const end of ['', 'dd 00 00 00']) {
      const record = framed(hex(`92 01 ${'91'.repeat(99)} ${end}`));
      expect(isTooDeep(Buffer.concat([record, hex('91 91')]), 0, record.length)).toBe(false);
    }
  });

  test('is no short record', () => {
    expect(tooDeep(framed(hex('91 06')))).toBe(false);
  });
});

test.each([127, 128, 16_383, 16_384])('begins behind a length of %d bytes', (length) => {
  const body = hex(`96 03 80 a1 37 03 c0 c5 ${(length - 10).toString(16).padStart(4, '0')}`);
  const record = framed(Buffer.concat([body, Buffer.alloc(length - 10)]));
  expect(classify(record)).toStrictEqual({ type: 3, id: '7' });
});

test('an id has no escapes', () => {
  expect(classify(framed(encode([3, {}, '\\u0037'])))).toStrictEqual({ type: 3, id: '\\u0037' });
});

test('a text protocol is read as text', () => {
  const bytes = Buffer.from('{"type":6}\x1e');
  classifyRecord(false, bytes, 0, bytes.length, info);
  expect(info.type).toBe(6);
});
