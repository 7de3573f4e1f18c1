import { expect, test } from 'vitest';
import { parseUrl } from './parse-url.ts';

test('a URL, or undefined for what is none', () => {
  expect(parseUrl('https://a.example/x?y')?.pathname).toBe('/x');
  expect(parseUrl('a.example')).toBeUndefined();
});

test('a host in Latin letters is one however often it has been asked for', () => {
  const hosts = Array.from({ length: 20_000 }, () => parseUrl('https://bücher.example')?.host);
  expect(new Set(hosts)).toEqual(new Set(['xn--bcher-kva.example']));
});
