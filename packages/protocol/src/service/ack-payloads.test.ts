import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeClaims, decodeGroupPage, encodeClaims, encodeGroupPage } from './ack-payloads.ts';
import { bytes, protocolError } from './frames.test-support.ts';

test('claims are read in order, those of one type too', () => {
  const claims = fc.array(fc.tuple(fc.constantFrom('role', 'name', ''), fc.string()));
  fc.assert(
    fc.property(claims, (given) => {
      expect(decodeClaims(encodeClaims(given))).toStrictEqual(given);
    }),
  );
  expect(encodeClaims([['a', 'b']])).toStrictEqual(new Uint8Array(bytes('81 a161 a162')));
});

test.each([['c0'], ['80'], ['']])('no claims: %s', (hex) =>
  expect(decodeClaims(bytes(hex))).toStrictEqual([]),
);

test('no payload is no claims', () => expect(decodeClaims()).toStrictEqual([]));

test.each(['01', '81 a161', '81 01 02', '9191a161'])('%s are none', (hex) =>
  expect(protocolError(() => decodeClaims(bytes(hex)))).toBeDefined(),
);

test('a page of a group is read as it was written', () => {
  const page = encodeGroupPage(
    [
      { id: 'c1', userId: 'ann' },
      { id: 'c2', userId: undefined },
      { id: 'c3', userId: '' },
    ],
    3,
    'c3',
  );
  expect(page).toStrictEqual(
    new Uint8Array(bytes('92 93 92a26331a3616e6e 92a26332c0 92a26333a0 a26333')),
  );
  expect(decodeGroupPage(page)).toStrictEqual({
    members: [
      { connectionId: 'c1', userId: 'ann' },
      { connectionId: 'c2' },
      { connectionId: 'c3', userId: '' },
    ],
    next: 'c3',
  });
});

test('the last page has no next one; no payload is an empty one', () => {
  const last = encodeGroupPage([], 0, undefined);
  expect(last).toStrictEqual(new Uint8Array(bytes('92 90 c0')));
  for (const payload of [last, undefined, new Uint8Array(0)]) {
    expect(decodeGroupPage(payload)).toStrictEqual({ members: [], next: undefined });
  }
});

test.each(['01', '92 01 c0', '92 91 01 c0', '92 92 92a161c0', '92 90 01'])(
  '%s is no page of a group',
  (hex) => expect(protocolError(() => decodeGroupPage(bytes(hex)))).toBeDefined(),
);
