import { encode } from '@msgpack/msgpack';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { streamIdsOf } from './stream-ids.ts';

const text = (json: string): Uint8Array => Buffer.from(json);

/** A record as it travels: the length, in as many bytes as it takes, then the array. */
function framed(message: readonly unknown[]): Uint8Array {
  const body = encode(message);
  const prefix: number[] = [];
  let left = body.length;
  for (; left > 0x7f; left >>>= 7) prefix.push((left & 0x7f) | 0x80);
  return Buffer.concat([Buffer.of(...prefix, left), body]);
}

describe('in JSON', () => {
  test.each([
    [
      '{"type":1,"invocationId":"8","target":"U","arguments":[1],"streamIds":["3","4"]}',
      ['3', '4'],
    ],
    ['{"streamIds":["a\\u0062"],"type":4,"invocationId":"8","target":"U","arguments":[]}', ['ab']],
    ['{"type":1,"target":"U","arguments":[{"streamIds":["3"]}]}', []],
    ['{"type":1,"target":"U","arguments":[],"streamIds":[]}', []],
    ['{"type":1,"target":"U","arguments":[],"streamIds":[3,null,"4"]}', ['4']],
    ['{"type":1,"target":"U","arguments":[],"streamIds":"3"}', []],
    ['{"type":1,"target":"U","streamIds":["3"]', []],
    ['null', []],
    ['', []],
  ])('%s', (json, ids) => {
    expect(streamIdsOf(false, text(`${json}\x1e`))).toEqual(ids);
    expect(streamIdsOf(false, text(json))).toEqual(ids);
  });
});

describe('in MessagePack', () => {
  test.each<[readonly unknown[], string[]]>([
    [
      [1, {}, '8', 'U', [1], ['3', '4']],
      ['3', '4'],
    ],
    [
      [4, { h: 'v' }, '8', 'U', [[['9']], { a: 1 }], ['é', 'x'.repeat(40)]],
      ['é', 'x'.repeat(40)],
    ],
    [[1, {}, null, 'U', [], Array.from({ length: 20 }, (_, i) => `${i}`)], range(20)],
    [[1, {}, null, 'U', [], []], []],
    [[1, {}, null, 'U', []], []],
    [[1, {}, null, 'U', ['x'.repeat(300)], ['3']], ['3']],
    [
      [1, {}, null, 'U', [], [3, '', null, '4']],
      ['', '4'],
    ],
    [[1, {}, null, 'U', [], null], []],
    [[6], []],
  ])('%j', (message, ids) => {
    expect(streamIdsOf(true, framed(message))).toEqual(ids);
  });

  test('what follows a short array is not in it', () => {
    // [1, {}, nil, "U"], then [] and ["3"].
    const record = Buffer.from('0a 94 01 80 c0 a155 90 91a133'.replaceAll(' ', ''), 'hex');
    expect(streamIdsOf(true, record)).toEqual([]);
  });

  test('cut off anywhere: no throw, and no more than there is', () => {
    const record = framed([1, {}, '8', 'U', [1], ['3', '44']]);
    for (let end = 0; end < record.length; end++) {
      expect(['3', '44']).toEqual(
        expect.arrayContaining(streamIdsOf(true, record.subarray(0, end))),
      );
    }
  });
});

test('whatever a client sends, there is an answer', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.uint8Array({ maxLength: 60 }), (binary, bytes) => {
      expect(streamIdsOf(binary, bytes)).toBeInstanceOf(Array);
    }),
    { numRuns: 2000 },
  );
});

function range(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${i}`);
}
