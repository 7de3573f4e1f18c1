import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { redactText, redactUrl } from './redact.ts';

const JWT = `eyJhbGciOiJIUzI1NiJ9.eyJ1IjoxfQ.${'k'.repeat(43)}`;

test.each([
  ['/client/?hub=chat&access_token=abc.d-_e&x=1', '/client/?hub=chat&access_token=[redacted]&x=1'],
  ['ACCESS_TOKEN=abc', 'ACCESS_TOKEN=[redacted]'],
  ['Authorization: Bearer abc, next', 'Authorization: Bearer [redacted], next'],
  [
    'Endpoint=http://h;AccessKey=a b=;Version=1.0;',
    'Endpoint=http://h;AccessKey=[redacted];Version=1.0;',
  ],
  ['{"cs":"AccessKey=q\\"uo;te"}', '{"cs":"AccessKey=[redacted];te"}'],
  ['TRUNKLINE_ACCESS_KEYS=one,two\nnext', 'TRUNKLINE_ACCESS_KEYS=[redacted]\nnext'],
  ['--access-keys=one', '--access-keys=[redacted]'],
  [`the token ${JWT} is bad`, 'the token [redacted] is bad'],
  [`unsigned eyJhbGciOiJub25lIn0.e30.`, 'unsigned [redacted]'],
  [`%22${JWT}%22`, '%[redacted]%22'],
  ['redis://user:pw@10.0.0.1:6379', 'redis://[redacted]@10.0.0.1:6379'],
])('%s', (text, expected) => {
  expect(redactText(text)).toBe(expected);
});

test.each([
  'http://edge-1.example.com:8080/client/?hub=chat',
  'see https://example.com/@someone',
  'services/edge/dist/main.js:10:5',
  'TRUNKLINE_ACCESS_KEYS is not set',
])('leaves alone: %s', (text) => {
  expect(redactText(text)).toBe(text);
});

test('a url loses its connection token too', () => {
  expect(redactUrl('/client/?id=secret&access_token=a&hub=x&I%64=secret')).toBe(
    '/client/?id=[redacted]&access_token=[redacted]&hub=x&I%64=[redacted]',
  );
});

test('no token survives, whatever surrounds it', () => {
  const around = fc.string({ unit: 'grapheme' });
  fc.assert(
    fc.property(around, around, (before, after) => {
      expect(redactText(`${before}${JWT}${after}`)).not.toContain('k'.repeat(43));
    }),
  );
});

test('no access token survives, however its name is written', () => {
  const letters = Array.from('access_token', (letter) => {
    const codes = [letter, letter.toUpperCase()].map((text) => text.charCodeAt(0).toString(16));
    const encoded = codes.flatMap((code) => [`%${code}`, `%25${code}`, `%2525${code}`]);
    return fc.constantFrom(letter, letter.toUpperCase(), ...encoded);
  });
  const name = fc.tuple(...letters).map((parts) => parts.join(''));
  fc.assert(
    fc.property(name, fc.constantFrom('=', '%3D', '%253d'), (written, equals) => {
      const url = `/client/?hub=chat&${written}${equals}secret&x=1`;
      expect(redactText(url)).toBe(`/client/?hub=chat&${written}${equals}[redacted]&x=1`);
    }),
  );
});

test('a line of JSON stays JSON', () => {
  const text = fc.array(
    fc.oneof(
      fc.string(),
      fc.constantFrom('AccessKey=', 'access_token=', 'Bearer ', '://u:p@', JWT, '"', '\\', ';'),
    ),
  );
  fc.assert(
    fc.property(text, text, (parts, others) => {
      const value = { msg: parts.join(''), nested: { list: others } };
      const masked = JSON.parse(redactText(JSON.stringify(value))) as typeof value;
      expect(Object.keys(masked)).toEqual(['msg', 'nested']);
    }),
  );
});

test('the time is linear in the length of the text', () => {
  const hostile = [
    'a',
    '://',
    'eyJ',
    'AccessKey=',
    'a.',
    'Bearer ',
    '%25',
    '%61',
    'access_toke',
  ].map((s) => s.repeat(200_000));
  const started = performance.now();
  for (const text of hostile) redactText(text);
  expect(performance.now() - started).toBeLessThan(5000);
});
