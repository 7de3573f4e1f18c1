import { createHmac, randomInt } from 'node:crypto';

import type { Profile } from './profiles.ts';

const DEFAULT_LIFETIME_SECONDS = 3600;
/** `kid` is .NET's hash of the key's text, which differs from process to process (section 3.1). */
const KEY_ID = String(randomInt(-(2 ** 31), 2 ** 31));

/** Claims in order; a type that repeats becomes an array, where it came first. */
export type ClaimList = readonly (readonly [type: string, value: string])[];

/** A token as the .NET package writes it (service protocol reference, section 3.1). */
export function signToken(
  profile: Profile,
  key: string,
  claims: ClaimList,
  audience: string,
  lifetimeSeconds = DEFAULT_LIFETIME_SECONDS,
): string {
  const now = Math.floor(Date.now() / 1000);
  const values = { alg: 'HS256', typ: 'JWT', kid: KEY_ID };
  const head = profile.tokenHeader.map((name) => [name, [values[name]]] as const);
  const body = [
    ...grouped(claims),
    ['nbf', [now]] as const,
    ['exp', [now + lifetimeSeconds]] as const,
    ['iat', [now]] as const,
    ...(profile.issuer === undefined ? [] : [['iss', [profile.issuer]] as const]),
    ['aud', [audience]] as const,
  ];
  const signed = `${base64url(json(head))}.${base64url(json(body))}`;
  const signature = createHmac('sha256', key).update(signed).digest('base64url');
  return `${signed}.${signature}`;
}

function grouped(claims: ClaimList): [string, string[]][] {
  const members = new Map<string, string[]>();
  for (const [type, value] of claims) {
    const values = members.get(type);
    if (values === undefined) members.set(type, [value]);
    else values.push(value);
  }
  return [...members];
}

/** By hand, since members keep their order here, whatever they are called. */
function json(members: readonly (readonly [string, readonly unknown[]])[]): string {
  const texts = members.map(([name, values]) => {
    const value = values.length === 1 ? values[0] : values;
    return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
  });
  return `{${texts.join(',')}}`;
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
