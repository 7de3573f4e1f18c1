import { readdirSync, readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

/** How many traps client protocols reference, section 10, has. */
const TRAPS = 35;

test('every trap has its test, and one only', () => {
  const directory = new URL('.', import.meta.url);
  const files = readdirSync(directory).filter((name) => name.endsWith('.test.ts'));
  const texts = files.map((name) => readFileSync(new URL(name, directory), 'utf8'));
  const numbers = texts.flatMap((text) =>
    [...text.matchAll(/^\s*(?:it(?:\.concurrent)?\(\s*)?['"]trap (\d+): /gm)].map(([, number]) =>
      Number(number),
    ),
  );
  expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: TRAPS }, (_, n) => n + 1));
});
