import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longClaimType, NAME_IDENTIFIER, shortClaimType } from './claim-types.ts';
import { forwardedClaims } from './claims.ts';
import { AccessKeys } from './access-keys.ts';
import { mintClientToken } from './mint.ts';
import { ClaimError, claimList, givenClaims } from './user-claims.ts';
import type { Claims } from './user-claims.ts';
import { verifyToken } from './verify.ts';

type Pairs = [type: string, value: string][];

const ROLE = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';
const keys = new AccessKeys(['key']);

function payloadOf(claims: Claims, userId: string | undefined): string {
  const token = mintClientToken({
    key: keys.first,
    audienceBase: 'http://h/',
    hub: 'chat',
    claims,
    userId,
    now: 0,
  });
  const verified = verifyToken(token, { keys, use: 'client', hub: 'chat', now: 0 });
  if (typeof verified === 'string') throw new Error(verified);
  return verified.payload;
}

/** What services are known, or could be thought, to make of a token's members. */
const services: Record<string, (payload: string) => Pairs> = {
  'this edge': forwardedClaims,
  'one that sends long types alone': (payload) =>
    members(payload).map(([name, value]) => [longClaimType(name), value]),
  'one that sends both, as Azure does': (payload) =>
    members(payload).flatMap(([name, value]): Pairs => {
      const long = longClaimType(name);
      const short: Pairs = [[name, value]];
      return long === name ? short : [[long, value], ...short];
    }),
  'one that sends members as they are': members,
};

function members(payload: string): Pairs {
  return Object.entries(JSON.parse(payload) as object).flatMap(
    ([name, values]: [string, unknown]) =>
      [values].flat().map((value): [string, string] => [name, String(value)]),
  );
}

/** Every name that .NET's map has on either side, with those that it makes one of. */
const MAPPED = (
  'nameid sub unique_name role roles email given_name family_name birthdate gender website upn ' +
  'denyonlysid certthumbprint certpublickey winaccountname authmethod groupsid primarygroupsid ' +
  'primarysid denyonlyprimarysid denyonlyprimarygroupsid certserialnumber actort oid scp tid idp ' +
  'acr amr commonname group'
).split(' ');
const RESERVED = 'aud exp iat nbf iss actort acr azp c_hash jti nonce'.split(' ');
const names = [...MAPPED, ...MAPPED.map(longClaimType), ...RESERVED];

describe.each(Object.entries(services))('by way of %s', (_service, forward) => {
  function inHub(claims: Claims, userId?: string): Pairs {
    return givenClaims(forward(payloadOf(claims, userId)));
  }

  it.each(names)('%s comes back as it is', (name) => {
    expect(inHub({ [name]: 'a' })).toEqual([[name, 'a']]);
    expect(inHub({ [name]: ['a', 'b', 'a'] }, 'a')).toEqual([
      [name, 'a'],
      [name, 'b'],
      [name, 'a'],
    ]);
  });

  it('a user id alone is no claim', () => {
    expect(inHub({}, 'ada')).toEqual([]);
  });

  it('names of one long type stay apart', () => {
    const claims = { role: 'a', roles: ['b', 'c'], [ROLE]: 'd', sub: 'e', nameid: 'f' };
    expect(inHub(claims, 'e')).toEqual([
      ['role', 'a'],
      ['roles', 'b'],
      ['roles', 'c'],
      [ROLE, 'd'],
      ['sub', 'e'],
      ['nameid', 'f'],
    ]);
  });

  it('any claims come back as they were given, repeated ones in order', () => {
    const name = fc.oneof(
      fc.constantFrom(...names, '__proto__', 'constructor', '1', 'é', '', 'asrs.u.', 'asrs.u.sub'),
      fc.string({ unit: 'grapheme', maxLength: 20 }),
    );
    const value = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.boolean(),
      fc.integer(),
      fc.constant(undefined),
    );
    const many = fc.array(fc.tuple(name, fc.oneof(value, fc.array(value, { maxLength: 3 }))), {
      maxLength: 8,
    });
    const user = fc.option(fc.constantFrom('a', 'b', ''), { nil: undefined });
    fc.assert(
      fc.property(many, user, (entries, userId) => {
        const claims: Claims = Object.fromEntries(entries);
        const wanted = Object.entries(claims).flatMap(([type, values]) =>
          [values]
            .flat()
            .filter((one) => one !== undefined)
            .map((one) => [type, String(one)]),
        );
        const got = inHub(claims, userId);
        expect(got).toHaveLength(wanted.length);
        // Names need not keep their order: in JSON, those that are numbers come first.
        for (const type of Object.keys(claims)) {
          const named = got.filter(([given]) => given === type);
          expect(named).toEqual(wanted.filter(([given]) => given === type));
        }
      }),
    );
  });
});

it('knows every name of the map', () => {
  for (const name of MAPPED) expect(longClaimType(name)).toContain('http://schemas.');
  expect(new Set(MAPPED.map(longClaimType)).size).toBe(MAPPED.length - 2);
  for (const name of MAPPED) expect(MAPPED).toContain(shortClaimType(longClaimType(name)));
});

describe('tokens that others made', () => {
  it('show long types by their short names', () => {
    const forwarded: Pairs = [
      ['asrs.s.uid', 'ada'],
      [NAME_IDENTIFIER, 'ada'],
      [ROLE, 'a'],
      [ROLE, 'b'],
      ['exp', '5'],
      ['asrs.u.iss', 'me'],
    ];
    expect(givenClaims(forwarded)).toEqual([
      ['role', 'a'],
      ['role', 'b'],
      ['iss', 'me'],
    ]);
    expect(givenClaims([[NAME_IDENTIFIER, 'ada']])).toEqual([['nameid', 'ada']]);
  });
});

describe('a value that no token can carry', () => {
  it.each([
    [null, 'null'],
    [new Date(0), 'a Date'],
    [{ a: 1 }, 'an object'],
    [Object.create(null), 'an object'],
    [() => 1, 'a function'],
    [Symbol('s'), 'a symbol'],
    [NaN, 'NaN'],
    [Infinity, 'Infinity'],
    [1n, 'a bigint'],
    [new Map(), 'a Map'],
    [[['a']], 'a list'],
  ])('is refused by its name: %o', (value, what) => {
    const rule = 'must be a string, a finite number, a boolean or a list of these';
    const error = new ClaimError(`claim 'plan' ${rule}, not ${what}`);
    expect(() => claimList({ ok: 1, plan: value as never })).toThrow(error);
    expect(() => claimList({ plan: ['a', ...[value].flat()] as never })).toThrow(ClaimError);
  });

  it.each([null, 'text', ['a'], new Map(), 7])('claims are no %o', (claims) => {
    expect(() => claimList(claims as never)).toThrow(/^claims must be an object/);
  });

  it('is left out where it is undefined', () => {
    expect(claimList({ a: undefined, b: [undefined, 'x'], c: [] })).toEqual([['b', 'x']]);
  });
});
