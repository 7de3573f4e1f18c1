import { encode } from '@msgpack/msgpack';
import { describe, expect, test } from 'vitest';
import { readInvocationHead, unframed } from './invocation.ts';

const text = (json: string): Uint8Array => Buffer.from(`${json}\x1e`);
function binary(message: unknown): Uint8Array {
  const body = encode(message);
  return Buffer.concat([Uint8Array.of(body.length), body]);
}

describe('the head of a JSON invocation', () => {
  test.each([
    ['{"type":1,"target":"say","arguments":[]}', { target: 'say', hasUploads: false }],
    [
      ' { "arguments" : [{"target":"no"}] , "target" : "s\\u0061y" , "type" : 1 } ',
      { target: 'say', hasUploads: false },
    ],
    ['{"target":"a","target":"b","type":1}', { target: 'b', hasUploads: false }],
    ['{"target":"a","streamIds":[],"type":1}', { target: 'a', hasUploads: false }],
    ['{"target":"a","streamIds":null,"type":1}', { target: 'a', hasUploads: false }],
    ['{"streamIds":["1"],"target":"a","type":1}', { target: 'a', hasUploads: true }],
    ['{"type":1,"arguments":[]}', undefined],
    ['{"type":1,"target":7}', undefined],
    ['{"type":1,"target":"a"', undefined],
    ['{"type":1,"target":"a"}x', undefined],
    ['["target"]', undefined],
    ['{"target":"\\x"}', undefined],
    ['', undefined],
  ])('%s', (json, head) => {
    expect(readInvocationHead(false, text(json))).toEqual(head);
  });
});

describe('the head of a MessagePack invocation', () => {
  test.each([
    [[1, {}, null, 'say', []], { target: 'say', hasUploads: false }],
    [[1, { a: 'b' }, '7', 'é'.repeat(40), [[1]]], { target: 'é'.repeat(40), hasUploads: false }],
    [[1, {}, '7', 'say', [], []], { target: 'say', hasUploads: false }],
    [[1, {}, '7', 'say', [], ['1']], { target: 'say', hasUploads: true }],
    [[1, {}, '7', 8, []], undefined],
    [[1, {}, '7'], undefined],
    ['text', undefined],
  ])('%j', (message, head) => {
    expect(readInvocationHead(true, binary(message))).toEqual(head);
  });

  test('that is cut off', () => {
    expect(readInvocationHead(true, binary([1, {}, null, 'say']).subarray(0, 6))).toBeUndefined();
  });
});

test('a message without its framing', () => {
  expect(Buffer.from(unframed(false, text('{}'))).toString()).toBe('{}');
  expect([...unframed(true, Uint8Array.of(1, 0x90))]).toEqual([0x90]);
  const long = Buffer.concat([Uint8Array.of(0x80, 1), Buffer.alloc(128, 0xc0)]);
  expect(unframed(true, long)).toHaveLength(128);
});
