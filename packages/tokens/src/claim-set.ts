import { shortClaimType } from './claim-types.ts';
import { texts } from './claims.ts';

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
  const members = new Map<string, string[]>();
  for (const [type, value] of claims) {
    const name = shortClaimType(type);
    if (OF_THE_TOKEN.has(name)) continue;
    const values = members.get(name);
    if (values === undefined) members.set(name, [value]);
    else values.push(value);
  }
  const json = [...members].map(([name, values]) => {
    const value = values.length === 1 ? values[0] : values;
    return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
  });
  return `{${json.join(',')}}`;
}
