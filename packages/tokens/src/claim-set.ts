import { shortClaimType } from './claim-types.ts';
import { texts } from './claims.ts';
import { append, memberTexts } from './members.ts';
import type { MemberList } from './members.ts';

/** Claims as pairs of type and value; one type may repeat. */
export type ClaimSet = readonly (readonly [type: string, value: string])[];

/** What every token says of itself, and nothing of its user. */
const OF_THE_TOKEN = new Set(['nbf', 'exp', 'iat', 'iss', 'aud']);

/**
 * The claims of a token as they were put in, `asrs.s.*` included, under the short types that tokens
 * have. Whoever signs them again makes the same token, but for its times.
 * @param payload a `VerifiedToken`'s payload, or what `payloadOf` gives
 */
export function claimSet(payload: string): ClaimSet {
  const members = Object.entries(JSON.parse(payload) as Record<string, unknown>);
  return members.flatMap(([type, value]) =>
    OF_THE_TOKEN.has(type) ? [] : texts(value).map((text) => [type, text] as const),
  );
}

/** The JSON text of a payload with these claims, long types made short: `claimSet` gives them back. */
export function payloadOf(claims: ClaimSet): string {
  const members: MemberList<string> = new Map();
  for (const [type, value] of claims) {
    const name = shortClaimType(type);
    if (!OF_THE_TOKEN.has(name)) append(members, name, value);
  }
  return `{${memberTexts(members).join(',')}}`;
}
