import { describe, expect, test } from 'vitest';
import { originAllowed } from './origin.ts';

const ALLOWED = ['https://a.example', 'http://b.example:8080', 'capacitor://localhost'];

function allows(origin: string | undefined, host = 'edge.example', allowed = ALLOWED): boolean {
  const headers = new Map(origin === undefined ? [] : [['origin', origin]]);
  return originAllowed({ headers }, host, allowed);
}

describe('a request', () => {
  test.each(['https://a.example', 'HTTPS://A.example:443', 'http://b.example:8080', ALLOWED[2]])(
    'from %s, which is listed, is allowed',
    (origin) => {
      expect(allows(origin)).toBe(true);
    },
  );

  test.each([
    'http://a.example',
    'https://a.example:8443',
    'https://a.example.evil.example',
    'https://sub.a.example',
    'null',
    '',
  ])('from %j, which is not, is refused', (origin) => {
    expect(allows(origin)).toBe(false);
    expect(allows(origin, 'edge.example', ['*'])).toBe(true);
  });

  test('from no page is allowed', () => {
    expect(allows(undefined, 'edge.example', [])).toBe(true);
  });

  test.each([
    ['https://edge.example', 'edge.example'],
    ['https://edge.example', 'Edge.example:443'],
    ['http://localhost:8080', 'localhost:8080'],
    ['http://[::1]:8080', '[::1]:8080'],
  ])('from %s to %s itself is allowed', (origin, host) => {
    expect(allows(origin, host, [])).toBe(true);
  });

  test.each([
    ['https://edge.example', 'edge.example:8443'],
    ['https://edge.example:8443', 'edge.example'],
    ['https://edge.example', 'edge.example.evil.example'],
    ['https://edge.example', undefined],
    ['null', 'null'],
    ['https://edge.example', 'edge.example/path'],
  ])('from %s to %s is not', (origin, host) => {
    const headers = new Map([['origin', origin]]);
    expect(originAllowed({ headers }, host, [])).toBe(false);
  });
});
