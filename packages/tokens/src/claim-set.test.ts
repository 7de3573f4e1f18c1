import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { claimSet, payloadOf } from './claim-set.ts';
import { forwardedClaims, readClientClaims } from './claims.ts';
import { mintClientToken } from './mint.ts';

test('is what was put into a token, without what the token says of itself', () => {
  const token = mintClientToken({
    key: 'key',
    audienceBase: 'http://e/',
    hub: 'chat',
    userId: 'ann',
    claims: { role: ['a', 'b'], age: 5, exp: 'mine' },
    system: { closeOnAuthExpirationAt: 99 },
  });
  expect(claimSet(Buffer.from(token.split('.')[1]!, 'base64url').toString())).toStrictEqual([
    ['asrs.s.uid', 'ann'],
    ['asrs.s.coae', 'true'],
    ['asrs.s.aeo', '99'],
    ['role', 'a'],
    ['role', 'b'],
    ['age', '5'],
    ['asrs.u.exp', 'mine'],
  ]);
});

test('long types of .NET are those of a token, repeated ones one member', () => {
  const role = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';
  const payload = payloadOf([
    [role, 'a'],
    ['name', 'x'],
    ['role', 'b'],
  ]);
  expect(payload).toBe('{"role":["a","b"],"name":"x"}');
});

test('cannot speak for the token, nor be lost by its name', () => {
  expect(
    payloadOf([
      ['exp', '1'],
      ['aud', 'http://other/'],
      ['__proto__', 'p'],
    ]),
  ).toBe('{"__proto__":"p"}');
  expect(claimSet('{"__proto__":"p"}')).toStrictEqual([['__proto__', 'p']]);
});

test('one value of a type in any order survives', () => {
  const type = fc
    .string({ minLength: 1 })
    .filter((name) => !/^\d+$|^(?:nbf|exp|iat|iss|aud)$/.test(name));
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(type, fc.string()), { selector: ([name]) => name }),
      (claims) => {
        const payload = payloadOf(claims);
        expect(payloadOf(claimSet(payload))).toBe(payload);
        expect(readClientClaims(payload)).toBeDefined();
        expect(forwardedClaims(payload).length).toBeGreaterThanOrEqual(claimSet(payload).length);
      },
    ),
  );
});
