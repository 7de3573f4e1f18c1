import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { queryValue, queryValues, withoutAccessToken } from './query.ts';

/** A name in one of the ways to write it: each letter in either case, or percent-encoded once. */
function writtenAs(name: string): fc.Arbitrary<string> {
  const letters = Array.from(name, (letter) => {
    const cases = [letter.toLowerCase(), letter.toUpperCase()];
    const codes = cases.map((text) => text.charCodeAt(0).toString(16));
    return fc.constantFrom(
      ...cases,
      ...codes.flatMap((code) => [`%${code}`, `%${code.toUpperCase()}`]),
    );
  });
  return fc.tuple(...letters).map((parts) => parts.join(''));
}

describe('the values of a name', () => {
  test('are those of URLSearchParams, for names written plainly', () => {
    const pair = fc.tuple(fc.constantFrom('id', 'idx', 'hub', 'i'), fc.string({ unit: 'binary' }));
    const given = fc.property(fc.array(pair), (pairs) => {
      const query = new URLSearchParams(pairs).toString();
      for (const name of ['id', 'hub', 'nothing']) {
        expect(queryValues(query, name)).toEqual(new URLSearchParams(query).getAll(name));
      }
    });
    fc.assert(given);
  });

  test('are the same however the name is written', () => {
    fc.assert(
      fc.property(writtenAs('access_token'), (name) => {
        expect(queryValues(`a=1&${name}=x%20y&b=2`, 'access_token')).toEqual(['x y']);
      }),
    );
  });

  test.each([
    ['id=a=b&id', ['a=b', '']],
    ['id=%zz', ['%zz']],
    ['id=a+b%20c', ['a b c']],
    ['id=+', [' ']],
    ['', []],
    ['&&id=&', ['']],
    ['xid=1&id_=2', []],
    ['ID=3&%69d=4', ['3', '4']],
    ['%2569d=1&i%d=2&i+d=3&id+=4&id%3D5', []],
  ])('of %j are %j', (query, values) => {
    expect(queryValues(query, 'id')).toEqual(values);
    expect(queryValue(query, 'id')).toBe(values.at(0));
  });
});

describe('a query without its access tokens', () => {
  test('has none that an app server could read, and all else as it was', () => {
    const other = fc
      .tuple(
        fc.constantFrom('a', 'my_access_token', 'access_tokens', '%2561ccess_token'),
        fc.string(),
      )
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const token = writtenAs('access_token').map((name) => `${name}=secret`);
    const pairs = fc.array(fc.oneof(other, token));
    fc.assert(
      fc.property(pairs, (all) => {
        const kept = withoutAccessToken(all.join('&'));
        const names = [...new URLSearchParams(kept).keys()].map((name) => name.toLowerCase());
        expect(names).not.toContain('access_token');
        expect(kept).toBe(all.filter((pair) => !pair.endsWith('=secret')).join('&'));
      }),
    );
  });

  test.each([
    ['access_token', ''],
    ['access_token&a=1', 'a=1'],
    ['access+token=x', 'access+token=x'],
    ['access_token%3Dx', 'access_token%3Dx'],
  ])('%j is %j', (query, kept) => {
    expect(withoutAccessToken(query)).toBe(kept);
  });
});
