import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeClaims, encodeClaims } from './ack-payloads.ts';
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
