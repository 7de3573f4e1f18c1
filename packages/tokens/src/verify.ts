import type { AccessKeys } from './access-keys.ts';
import { isAudience } from './audience.ts';
import type { Audience } from './audience.ts';
import { jwt } from './jwt.ts';
import { MAX_TOKEN_LENGTH } from './limits.ts';
import { memo } from './memo.ts';
import type { Algorithm } from './mint.ts';

/** Why a token was refused; also the label of the metric that counts refusals. */
export type TokenRejection =
  | 'missing'
  | 'oversized' // longer than 4,096 characters
  | 'malformed' // not three base64url parts around two JSON objects, or a time that is no number
  | 'algorithm' // signed with anything but HS256 and HS512
  | 'signature' // none of the configured keys made it
  | 'expired'
  | 'not-yet-valid'
  | 'audience'; // made for another use, hub or path

export interface VerifiedToken {
  /** The payload's JSON text, one flat string: it may be kept for as long as the connection lives. */
  readonly payload: string;
  /** Unix seconds; Infinity when the token has no `exp`. */
  readonly expiresAt: number;
}

export interface VerifyOptions extends Audience {
  readonly keys: AccessKeys;
  /** Unix seconds. */
  readonly now: number;
}

/** How far ahead a signer's clock may be. */
const NOT_BEFORE_SKEW_SECONDS = 300;

const ALGORITHMS: readonly Algorithm[] = ['HS256', 'HS512'];

/**
 * Checks a token: algorithm, then signature by every configured key whatever `kid` says, then
 * times, then audience. `exp` holds to the second, because lifetimes are an hour and a token is
 * minted for every connect; `nbf` has five minutes of skew, because a signer whose clock runs ahead
 * writes its own present into it. `iat` and `iss` are not looked at. Never throws.
 */
export function verifyToken(token: string, o: VerifyOptions): VerifiedToken | TokenRejection {
  if (token === '') return 'missing';
  if (token.length > MAX_TOKEN_LENGTH) return 'oversized';
  const [header = '', body = '', ...rest] = token.split('.');
  if (rest.length !== 1) return 'malformed';
  const algorithm = readAlgorithm(header);
  if (algorithm === undefined) return 'malformed';
  const allowed = ALGORITHMS.find((known) => known === algorithm);
  if (allowed === undefined) return 'algorithm';
  const payload = decode(body);
  const claims = parseObject(payload);
  if (claims === undefined) return 'malformed';
  if (!isSigned(token, allowed, o.keys)) return 'signature';
  const { exp = Infinity, nbf = -Infinity } = claims;
  if (typeof exp !== 'number' || typeof nbf !== 'number') return 'malformed';
  if (o.now >= exp) return 'expired';
  if (nbf > o.now + NOT_BEFORE_SKEW_SECONDS) return 'not-yet-valid';
  if (!isAudience(claims['aud'], o)) return 'audience';
  return { payload, expiresAt: exp };
}

/** The token of an `Authorization: Bearer <token>` header; the scheme ignores case. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

function isSigned(token: string, algorithm: Algorithm, keys: AccessKeys): boolean {
  const options = { algorithms: [algorithm], ignoreExpiration: true, ignoreNotBefore: true };
  return keys.all.some((key) => {
    try {
      jwt.verify(token, key.secret, options);
      return true;
    } catch {
      return false;
    }
  });
}

/** The `alg` of an encoded header; undefined when there is none to read. */
const readAlgorithm = memo((header: string) => parseObject(decode(header))?.['alg']);

function decode(part: string): string {
  return Buffer.from(part, 'base64url').toString();
}

function parseObject(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
