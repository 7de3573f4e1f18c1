import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readShortText, SHORT_BYTES } from './short-texts.ts';

const read = (text: string): string => {
  const bytes = Buffer.from(`<${text}>`);
  return readShortText(bytes, 1, bytes.length - 1);
};

test('a text is what its bytes say, whatever has been read before', () => {
  // Few letters, so that many share a place: of one byte, two and three, and one that is no text alone.
  const text = fc
    .stringMatching(/^[ab0é東]{1,5}$/)
    .filter((one) => Buffer.byteLength(one) <= SHORT_BYTES);
  const given = fc.property(fc.array(text, { maxLength: 50 }), (texts) => {
    expect(texts.map(read)).toEqual(texts);
  });
  fc.assert(given, { numRuns: 500 });
});

test('bytes that are no text are read as they always were, and not taken for a text that looks like it', () => {
  expect(read('é')).toBe('é');
  for (const bytes of [
    Buffer.of(0xe9),
    Buffer.of(0xc3, 0xa9),
    Buffer.of(0xff, 0x61),
    Buffer.of(0xc3),
  ]) {
    expect(readShortText(bytes, 0, bytes.length)).toBe(bytes.toString('utf8'));
    expect(readShortText(bytes, 0, bytes.length)).toBe(bytes.toString('utf8'));
  }
});

test('the same text is made once', () => {
  const bytes = Buffer.from('messagepack');
  const first = readShortText(bytes, 0, bytes.length);
  const toString = bytes.toString.bind(bytes);
  let made = 0;
  bytes.toString = (...args) => {
    made++;
    return toString(...args);
  };
  expect([readShortText(bytes, 0, bytes.length), made]).toEqual([first, 0]);
});
