import { decode, encode } from '@msgpack/msgpack';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../errors.ts';
import { ByteWriter } from '../service/byte-writer.ts';
import { encodeInvocation, encodeStreamItem } from './calls.ts';
import { encodeVoidCompletion } from './control.ts';
import { jsonItems, jsonMembers } from './json-members.ts';
import { writeJsonAsMessagePack } from './json-to-msgpack.ts';
import { messagePackToJson } from './msgpack-to-json.ts';

function toMessagePack(json: string): Buffer {
  const bytes = Buffer.from(json);
  const out = new ByteWriter(4);
  expect(writeJsonAsMessagePack(out, bytes, 0, bytes.length)).toBe(
    Buffer.byteLength(json.trimEnd()),
  );
  return Buffer.from(out.view());
}

describe('JSON as MessagePack', () => {
  test.each([
    ['1', '01'],
    ['-1', 'ff'],
    ['-33', 'd0df'],
    ['300', 'cd012c'],
    ['4294967296', 'cf0000000100000000'],
    ['9007199254740993', 'cf0020000000000001'],
    ['18446744073709551615', 'cfffffffffffffffff'],
    ['-9223372036854775808', 'd38000000000000000'],
    ['-4294967296', 'd3ffffffff00000000'],
    ['18446744073709551616', 'cb43f0000000000000'],
    ['1'.repeat(30), 'cb45f6704f4fab27ec'],
    ['1.0', 'cb3ff0000000000000'],
    ['1e2', 'cb4059000000000000'],
    [' [ 1 , "a" ] ', '9201a161'],
    ['{"b":null,"a":[true,false]}', '82a162c0a16192c3c2'],
    ['"\\u00e9\\n"', 'a3c3a90a'],
    ['{"a":1,"a":2}', '82a16101a16102'],
    ['""', 'a0'],
    ['[]', '90'],
    ['{}', '80'],
  ])('%s', (json, hex) => {
    expect(toMessagePack(json).toString('hex')).toBe(hex);
  });

  test('any value reads back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.stringify(value);
        // The reader of this test refuses that name.
        fc.pre(!json.includes('__proto__'));
        expect(decode(toMessagePack(json))).toEqual(JSON.parse(json));
      }),
    );
  });

  test('long arrays and texts, and a hundred levels, no more', () => {
    const long = Array.from({ length: 70_000 }, (_, at) => `é${at}`);
    expect(decode(toMessagePack(JSON.stringify(long)))).toEqual(long);
    const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(toMessagePack(deep(100))).toHaveLength(100);
    expect(() => toMessagePack(deep(101))).toThrow(ProtocolError);
  });
});

describe('MessagePack as JSON', () => {
  test.each<[unknown, string]>([
    [new Uint8Array([0, 255]), '"AP8="'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [[1, -1, 200, -200, 70_000, -70_000, 2 ** 40], '[1,-1,200,-200,70000,-70000,1099511627776]'],
    [NaN, 'null'],
    [{ a: null, b: true }, '{"a":null,"b":true}'],
  ])('%j', (value, json) => {
    const bytes = encode(value);
    expect(messagePackToJson(bytes, 0, bytes.length)).toBe(json);
  });

  test('keys that are no texts, wide integers, and extensions', () => {
    const json = (hex: string) => messagePackToJson(Buffer.from(hex, 'hex'), 0, hex.length / 2);
    expect(json('8101a161')).toBe('{"1":"a"}');
    expect(json('cfffffffffffffffff')).toBe('18446744073709551615');
    expect(json('d38000000000000000')).toBe('-9223372036854775808');
    expect(json('d40100')).toBe('null');
    expect(json('ca3fc00000')).toBe('1.5');
    expect(() => json('92')).toThrow(ProtocolError);
  });

  test('keys that are maps or arrays, which would double with each level, are refused', () => {
    const json = (hex: string) => messagePackToJson(Buffer.from(hex, 'hex'), 0, hex.length / 2);
    expect(() => json('8190c0')).toThrow(ProtocolError);
    expect(() => json(`${'81'.repeat(60)}a161${'c0'.repeat(60)}`)).toThrow(ProtocolError);
  });

  test('any value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        const bytes = encode(plain);
        expect(JSON.parse(messagePackToJson(bytes, 0, bytes.length))).toEqual(plain);
      }),
    );
  });
});

test('members of an object, by their names in lower case', () => {
  const members = jsonMembers(
    Buffer.from(' { "Target" : "m" , "arguments":[1, {"a":"}"} ] , "x":1,"X":2} '),
  )!;
  const texts = [...members].map(([name, value]) => [name, value.toString()]);
  expect(texts).toEqual([
    ['target', '"m"'],
    ['arguments', '[1, {"a":"}"} ]'],
    ['x', '2'],
  ]);
  const tight = jsonMembers(Buffer.from('{"a":null ,"b" :1\t,"c":"x" }'))!;
  expect([...tight.values()].map(String)).toEqual(['null', '1', '"x"']);
  expect(jsonMembers(Buffer.from('{}'))).toEqual(new Map());
  expect(jsonMembers(Buffer.from('[1]'))).toBeUndefined();
});

test('items of an array', () => {
  const items = jsonItems(Buffer.from(' [ 1 , "a,]" ,{"a":[1,"]"]},[ 2 ] , null ] '))!;
  expect(items.map(String)).toEqual(['1', '"a,]"', '{"a":[1,"]"]}', '[ 2 ]', 'null']);
  expect(jsonItems(Buffer.from('[]'))).toEqual([]);
  expect(jsonItems(Buffer.from('{}'))).toBeUndefined();
});

describe('hub messages', () => {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
  const array = (bytes: Uint8Array) => {
    expect(bytes[0]).toBe(bytes.length - 1);
    return decode(bytes.subarray(1));
  };

  test('for text protocols', () => {
    const args = Buffer.from('[1]');
    expect(text(encodeInvocation(false, { target: 'm"', args }))).toBe(
      '{"type":1,"target":"m\\"","arguments":[1]}\x1e',
    );
    expect(text(encodeInvocation(false, { target: 'm', args, invocationId: 'i' }))).toBe(
      '{"type":1,"invocationId":"i","target":"m","arguments":[1]}\x1e',
    );
    expect(text(encodeStreamItem(false, 's', Buffer.from('{}')))).toBe(
      '{"type":2,"invocationId":"s","item":{}}\x1e',
    );
    expect(text(encodeVoidCompletion(false, 's'))).toBe('{"type":3,"invocationId":"s"}\x1e');
  });

  test('for binary protocols', () => {
    const args = encode([1]);
    expect(array(encodeInvocation(true, { target: 'm', args }))).toEqual([
      1,
      {},
      null,
      'm',
      [1],
      [],
    ]);
    expect(array(encodeInvocation(true, { target: 'm', args, invocationId: 'i' }))).toEqual([
      1,
      {},
      'i',
      'm',
      [1],
      [],
    ]);
    expect(array(encodeStreamItem(true, 's', encode('x')))).toEqual([2, {}, 's', 'x']);
    expect(array(encodeVoidCompletion(true, 's'))).toEqual([3, {}, 's', 2]);
  });
});
