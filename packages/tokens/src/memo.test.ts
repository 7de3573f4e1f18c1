import { beforeEach, expect, test } from 'vitest';
import { memo } from './memo.ts';

let read: string[];
let lengthOf: (text: string) => number | undefined;

beforeEach(() => {
  read = [];
  lengthOf = memo((text) => {
    read.push(text);
    return text.length || undefined;
  });
});

test('what has been read is not read again, even if nothing came of it', () => {
  expect([lengthOf('four'), lengthOf('four'), lengthOf(''), lengthOf('')]).toEqual([
    4,
    4,
    undefined,
    undefined,
  ]);
  expect(read).toEqual(['four', '']);
});

test('no more than 64 answers are kept: strangers write the texts', () => {
  const texts = Array.from({ length: 64 }, (_, n) => `text ${n}`);
  for (const text of [...texts, ...texts]) lengthOf(text);
  expect(read).toEqual(texts);
  lengthOf('one more');
  lengthOf('text 0');
  expect(read).toEqual([...texts, 'one more', 'text 0']);
});
