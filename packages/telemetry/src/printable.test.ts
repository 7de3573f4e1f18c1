import { assert, property, string } from 'fast-check';
import { expect, test } from 'vitest';
import { printable } from './printable.ts';

test('ordinary names pass as they are', () => {
  for (const text of ['chat', 'https://app.example:8443', 'Ada’s MacBook', '東京', '🐙']) {
    expect(printable(text)).toBe(text);
  }
});

test('whatever comes, it is short and shows all that it is', () => {
  assert(
    property(string({ unit: 'binary', maxLength: 400 }), (text) => {
      const shown = printable(text);
      expect(shown).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      expect(shown.length).toBeLessThanOrEqual(161 * 10);
    }),
  );
});
