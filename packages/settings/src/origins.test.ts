import { describe, expect, test } from 'vitest';
import { SettingsError } from './errors.ts';
import { canonicalOrigin, readOrigins } from './origins.ts';

describe('an origin', () => {
  test.each([
    ['https://a.example', 'https://a.example'],
    ['HTTPS://A.Example:443/', 'https://a.example'],
    ['http://a.example:443', 'http://a.example:443'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['capacitor://Localhost', 'capacitor://localhost'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalOrigin(text)).toBe(canonical);
  });

  test.each([
    'null',
    '*',
    '',
    'a.example',
    '//a.example',
    'https://',
    'https://a.example/path',
    'https://a.example?q',
    'https://user@a.example',
    'https://a.example:99999',
    'https://*.a.example',
    'https://a.example https://b.example',
  ])('%j is none', (text) => {
    expect(canonicalOrigin(text)).toBeUndefined();
  });
});

test('a list of origins is made canonical, and is refused where one is none', () => {
  const entries = ['*', 'HTTPS://A.example:443/'];
  expect(readOrigins(entries)).toEqual(['*', 'https://a.example']);
  expect(() => readOrigins([...entries, 'a.example'])).toThrow(
    new SettingsError(
      "'a.example' is no origin: --allowed-origins takes * or scheme://host[:port], without a path",
    ),
  );
});
