import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { queryValue, queryValues } from './query.ts';

describe('the values of a key', () => {
  test('are those of URLSearchParams, for keys written plainly', () => {
    const pair = fc.tuple(fc.constantFrom('id', 'idx', 'hub', 'i'), fc.string({ unit: 'binary' }));
    const given = fc.property(fc.array(pair), (pairs) => {
      const query = new URLSearchParams(pairs).toString();
      for (const name of ['id', 'hub', 'nothing']) {
        expect(queryValues(query, name)).toEqual(new URLSearchParams(query).getAll(name));
      }
    });
    fc.assert(given);
  });

  test.each([
    ['id=a=b&id', ['a=b', '']],
    ['id=%zz', ['%zz']],
    ['id=a+b%20c', ['a b c']],
    ['', []],
    ['&&id=&', ['']],
    ['xid=1&id_=2&ID=3', []],
  ])('of %j are %j', (query, values) => {
    expect(queryValues(query, 'id')).toEqual(values);
    expect(queryValue(query, 'id')).toBe(values.at(0));
  });
});
