import { HUB_NAME, HUB_NAME_RULE, queryValue, queryValues } from '@trunkline/protocol';
import type { TokenRejection, VerifiedToken } from '@trunkline/tokens';
import type { AccessKeys, TokenUse } from '@trunkline/tokens';
import { bearerToken, verifyToken } from '@trunkline/tokens';
import { LRUCache } from 'lru-cache';
import type { HttpAnswer, HttpRequest } from '../ports/listener.ts';
import type { Counters } from './counters.ts';
import type { Time } from '../ports/time.ts';

/** Enough for the connects between a negotiate and its WebSocket; each keeps about 1 KB. */
const REMEMBERED_TOKENS = 1024;

interface Verified {
  readonly use: TokenUse;
  readonly hub: string;
  readonly token: VerifiedToken;
}

/** Verifies tokens by the configured keys; a token seen just now is not verified again. */
export class TokenVerifier {
  readonly #time: Pick<Time, 'unixSeconds'>;
  readonly #counters: Counters;
  readonly #verified = new LRUCache<string, Verified>({ max: REMEMBERED_TOKENS });
  #keys: AccessKeys;

  constructor(keys: AccessKeys, time: Pick<Time, 'unixSeconds'>, counters: Counters) {
    this.#keys = keys;
    this.#time = time;
    this.#counters = counters;
  }

  get keys(): AccessKeys {
    return this.#keys;
  }

  /** New keys take effect at once, for tokens that were good by the old ones too. */
  set keys(keys: AccessKeys) {
    this.#keys = keys;
    this.#verified.clear();
  }

  verify(token: string, use: TokenUse, hub: string): VerifiedToken | TokenRejection {
    const verdict = this.check(token, use, hub);
    if (typeof verdict === 'string') this.count(use, verdict);
    return verdict;
  }

  /** Counts a token that is refused. */
  count(use: TokenUse, rejection: TokenRejection): void {
    this.#counters.tokenRejections.add(`${use}|${rejection}`);
  }

  /** The same as `verify`, by somebody who does not refuse it for that. */
  check(token: string, use: TokenUse, hub: string): VerifiedToken | TokenRejection {
    const now = this.#time.unixSeconds();
    const known = this.#verified.get(token);
    if (known?.use === use && known.hub === hub && now < known.token.expiresAt) return known.token;
    const verdict = verifyToken(token, { keys: this.#keys, use, hub, now });
    if (typeof verdict !== 'string') this.#verified.set(token, { use, hub, token: verdict });
    return verdict;
  }
}

/** The answer to a request whose token is refused: no body, as clients show the reason phrase. */
export function unauthorized(rejection: TokenRejection): HttpAnswer {
  const challenge =
    rejection === 'missing'
      ? 'Bearer'
      : `Bearer error="invalid_token", error_description="${DESCRIPTIONS[rejection]}"`;
  return { status: 401, headers: { 'www-authenticate': challenge }, why: rejection };
}

const DESCRIPTIONS: Readonly<Record<Exclude<TokenRejection, 'missing'>, string>> = {
  oversized: 'The token is longer than 4096 characters',
  malformed: 'The token is malformed',
  algorithm: 'The algorithm is not HS256 or HS512',
  signature: 'The signature is invalid',
  expired: 'The token is expired',
  'not-yet-valid': 'The token is not yet valid',
  audience: 'The audience is invalid',
};

/**
 * The hub a request names, in lower case; the answer to it when it names none. Names are percent-decoded:
 * generic .NET hubs have a backtick (service protocol reference, section 19, trap 8).
 */
export function requestedHub(request: HttpRequest): string | HttpAnswer {
  const hub = queryValue(request.query, 'hub') ?? '';
  if (HUB_NAME.test(hub)) return hub.toLowerCase();
  const body = `The query must name a hub, ?hub=<name>: ${HUB_NAME_RULE}.`;
  const why = hub === '' ? 'no_hub' : 'hub_name';
  return { status: 400, headers: { 'content-type': 'text/plain' }, body, why };
}

/** The bearer header, else the last `access_token` of the query: browsers have no other way. */
export function requestToken(request: HttpRequest): string {
  const header = request.headers.get('authorization');
  if (header !== undefined) return bearerToken(header) ?? '';
  return queryValues(request.query, 'access_token').at(-1) ?? '';
}
