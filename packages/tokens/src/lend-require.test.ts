import { expect, test } from 'vitest';

import { lendRequire } from './lend-require.ts';

const scope = globalThis as { require?: (name: string) => unknown };

test("lends Node's own modules, no others, and takes it back", async () => {
  const giveBack = lendRequire();
  expect(scope.require!('events')).toBe((await import('node:events')).default);
  expect(() => scope.require!('bufferutil')).toThrow("'bufferutil' is not one of Node's own");
  giveBack();
  expect('require' in scope).toBe(false);
});

test('leaves a require alone that was there before', () => {
  const own = (name: string) => name;
  scope.require = own;
  lendRequire()();
  expect(scope.require).toBe(own);
  delete scope.require;
});
