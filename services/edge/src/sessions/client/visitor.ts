import type { BlockList } from 'node:net';
import type { ClientClaims } from '@trunkline/tokens';
import type { TokenRejection } from '@trunkline/tokens';
import { readClientClaims } from '@trunkline/tokens';
import type { HttpAnswer, HttpRequest } from '../../ports/listener.ts';
import type { Counters } from '../counters.ts';
import type { Source } from '../forwarded.ts';
import { Forwarded } from '../forwarded.ts';
import { originAllowed } from '../origin.ts';
import type { TokenVerifier } from '../token-verifier.ts';
import { requestedHub, requestToken, unauthorized } from '../token-verifier.ts';
import { WRONG_ORIGIN } from './answers.ts';

interface Asked {
  readonly hub: string;
  readonly accessToken: string;
  readonly source: Source;
}

/** Who stands behind a request, by its access token. */
export interface Visitor extends Asked {
  /** The JSON text of the token's payload. */
  readonly tokenPayload: string;
  readonly claims: ClientClaims;
  /** Whom pools count the visitor as: its user, or its token if that names none. */
  readonly owner: string;
}

/** From where clients may come, and whose word on that counts. */
export interface Provenance {
  /** Canonical origins, or `*`. */
  readonly allowedOrigins: readonly string[];
  readonly trustedProxies: BlockList;
}

/** Tells visitors from strangers. */
export class Visitors {
  readonly #tokens: TokenVerifier;
  readonly #allowedOrigins: readonly string[];
  readonly #forwarded: Forwarded;
  readonly #counters: Counters;

  constructor(tokens: TokenVerifier, provenance: Provenance, counters: Counters) {
    this.#tokens = tokens;
    this.#allowedOrigins = provenance.allowedOrigins;
    this.#forwarded = new Forwarded(provenance.trustedProxies);
    this.#counters = counters;
  }

  /**
   * The visitor, or why there is none: 403 from the page of an origin that is not allowed, 400
   * without a hub, 401 without a good token for it.
   */
  read(request: HttpRequest): Visitor | HttpAnswer {
    const asked = this.#asked(request);
    if ('status' in asked) return asked;
    const { source, hub, accessToken } = asked;
    const verified = this.#tokens.verify(accessToken, 'client', hub);
    if (typeof verified === 'string') return unauthorized(verified);
    const { payload } = verified;
    const claims = readClientClaims(payload);
    const owner = ownerOf(hub, claims.userId, accessToken);
    return { hub, accessToken, tokenPayload: payload, claims, source, owner };
  }

  /**
   * Whom a request counts as that another edge is to answer; or the answer, where no edge would take it.
   * A token that has expired, or that no key of today has made, may be the one that its connection
   * began with: then the request counts for its address, and the other edge decides.
   */
  ownerOf(request: HttpRequest): string | HttpAnswer {
    const asked = this.#asked(request);
    if ('status' in asked) return asked;
    const { source, hub, accessToken } = asked;
    const verdict = this.#tokens.check(accessToken, 'client', hub);
    if (typeof verdict !== 'string') {
      return ownerOf(hub, readClientClaims(verdict.payload).userId, accessToken);
    }
    if (PERHAPS.has(verdict)) return `address|${source.address}`;
    this.#tokens.count('client', verdict);
    return unauthorized(verdict);
  }

  /** What a request asks for, from where; or why nobody does that. */
  #asked(request: HttpRequest): Asked | HttpAnswer {
    const source = this.#forwarded.read(request);
    // Browsers leave WebSockets out of CORS, so who serves them has to look.
    if (!originAllowed(request, source.host, this.#allowedOrigins)) {
      this.#counters.refusals.add('origin');
      return WRONG_ORIGIN;
    }
    const hub = requestedHub(request);
    return typeof hub === 'string' ? { source, hub, accessToken: requestToken(request) } : hub;
  }
}

/** Nobody but the edge of a connection knows whether it began with such a token. */
const PERHAPS = new Set<TokenRejection>(['signature', 'expired', 'not-yet-valid']);

/**
 * The owner that a visitor counts as in pools. For a token that names no user it is the token's
 * signature: that is short, and nobody without a key makes another that is as good. Its last
 * character has bits that no verifier looks at, so it is left out.
 */
function ownerOf(hub: string, userId: string | undefined, accessToken: string): string {
  if (userId !== undefined) return `${hub}|user|${userId}`;
  return `${hub}|token|${accessToken.slice(accessToken.lastIndexOf('.') + 1, -1)}`;
}
