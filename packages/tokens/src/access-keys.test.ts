import { expect, it } from 'vitest';
import { AccessKeyError, AccessKeys } from './access-keys.ts';

it('takes one or two keys, the first of which signs', () => {
  expect(new AccessKeys(['a']).all).toHaveLength(1);
  const keys = new AccessKeys(['a', 'b']);
  expect(keys.all).toHaveLength(2);
  expect(keys.first).toBe(keys.all[0]);
});

it.each([
  [[], 'give one or two access keys, not 0'],
  [['a', 'b', 'c'], 'give one or two access keys, not 3'],
  [['a', ''], 'an access key is empty; give its text'],
])('refuses %j: %s', (keys, message) => {
  expect(() => new AccessKeys(keys)).toThrow(new AccessKeyError(message));
});

it('takes the raw UTF-8 text as key material', () => {
  expect(new AccessKeys(['clé=']).first.secret.export()).toEqual(Buffer.from('clé='));
});

it('derives a decimal kid that is the same every time and differs between keys', () => {
  const kid = new AccessKeys(['a']).first.kid;
  expect(kid).toMatch(/^-?\d+$/);
  expect(new AccessKeys(['a']).first.kid).toBe(kid);
  expect(new AccessKeys(['b']).first.kid).not.toBe(kid);
});

it('never shows a key when it is printed', () => {
  const keys = new AccessKeys(['hush-hush']);
  expect(JSON.stringify(keys)).not.toContain('hush');
});
