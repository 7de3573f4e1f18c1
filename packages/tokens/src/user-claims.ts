import { longClaimType, NAME_IDENTIFIER, shortClaimType } from './claim-types.ts';

export type ClaimValue = string | number | boolean;

/**
 * The user's claims by name; an array is the same claim repeated. What is `undefined` is left out,
 * inside an array too.
 */
export type Claims = Readonly<
  Record<string, ClaimValue | undefined | readonly (ClaimValue | undefined)[]>
>;

/** A claim, or what else a token says of a user, has a value that no token can carry. */
export class ClaimError extends Error {
  override readonly name = 'ClaimError';
}

/** What the service itself reads from a token. */
const SYSTEM_PREFIX = 'asrs.s.';
/** A claim of this prefix reaches hubs without it, and nobody on the way looks at its name. */
const RENAMED_PREFIX = 'asrs.u.';
/** Members about the token itself (service protocol reference, section 3.4). */
const RESERVED = new Set('aud exp iat nbf iss actort acr azp c_hash jti nonce'.split(' '));

/**
 * The user's claims one by one, in their order. Those of `asrs.s.*` are dropped: they would speak
 * for the service.
 * @throws ClaimError for a value that is no text, finite number or boolean
 */
export function claimList(claims: Claims): [name: string, value: ClaimValue][] {
  if (typeof claims !== 'object' || claims === null || Symbol.iterator in claims) {
    throw new ClaimError(`claims must be an object of names and values, not ${described(claims)}`);
  }
  return Object.entries(claims).flatMap(([name, given]) => {
    if (name.startsWith(SYSTEM_PREFIX)) return [];
    const values: readonly unknown[] = Array.isArray(given) ? given : [given];
    return values
      .filter((value) => value !== undefined)
      .map((value): [string, ClaimValue] => [name, claimValue(name, value)]);
  });
}

/**
 * The user id of a token: as given, where null is nobody, else the first name identifier among the
 * claims.
 * @throws ClaimError for what is no text
 */
export function userIdOf(
  userId: unknown,
  claims: readonly (readonly [name: string, value: ClaimValue])[],
): string | undefined {
  if (typeof userId === 'string') return userId;
  if (userId !== undefined && userId !== null) {
    throw new ClaimError(`userId must be a string, not ${described(userId)}`);
  }
  const named = claims.find(([name]) => longClaimType(name) === NAME_IDENTIFIER);
  return named && String(named[1]);
}

/**
 * The token's member for a claim. A service may give short names long types, keep both, or drop what
 * is the token's own, so a name that would not come back as it is travels renamed.
 */
export function memberName(name: string): string {
  return comesBack(name) ? name : `${RENAMED_PREFIX}${name}`;
}

/**
 * Of names with a long type one short name each does, since hubs in .NET look that type up; but not
 * the name identifier, which a token says as the user id.
 */
function comesBack(name: string): boolean {
  if (RESERVED.has(name) || name.startsWith(RENAMED_PREFIX)) return false;
  const long = longClaimType(name);
  return long !== NAME_IDENTIFIER && shortClaimType(long) === name;
}

/**
 * The user's own claims among those of an open-connection message, by the names that they were given:
 * `memberName` undone, whether the service sent long types, short names or both (service protocol
 * reference, section 3.5). A long type that came without a short name is shown under its short one;
 * the name identifier that a service adds to the user id is nobody's claim.
 */
export function givenClaims(
  forwarded: readonly (readonly [type: string, value: string])[],
): [name: string, value: string][] {
  const userId = forwarded.find(([type]) => type === `${SYSTEM_PREFIX}uid`)?.[1];
  const saidShort = new Set<string>();
  for (const [type] of forwarded) {
    const long = longClaimType(type);
    if (long !== type) saidShort.add(long);
  }
  return forwarded.flatMap(([type, value]): [string, string][] => {
    if (type.startsWith(RENAMED_PREFIX)) return [[type.slice(RENAMED_PREFIX.length), value]];
    if (type.startsWith(SYSTEM_PREFIX) || RESERVED.has(type) || saidShort.has(type)) return [];
    if (type === NAME_IDENTIFIER && value === userId) return [];
    return [[shortClaimType(type), value]];
  });
}

function claimValue(name: string, value: unknown): ClaimValue {
  if (typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) {
    return value as ClaimValue;
  }
  throw new ClaimError(
    `claim '${name}' must be a string, a finite number, a boolean or a list of these, not ${described(value)}`,
  );
}

/** A value in an error's text: what it is, never what is in it. */
function described(value: unknown): string {
  if (value === null || typeof value === 'number') return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== 'Object' ? `a ${name}` : 'an object';
}
