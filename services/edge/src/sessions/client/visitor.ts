import type { ClientClaims } from '@trunkline/tokens';
import { readClientClaims } from '@trunkline/tokens';
import type { HttpAnswer, HttpRequest } from '../../ports/listener.ts';
import type { TokenVerifier } from '../token-verifier.ts';
import { requestedHub, requestToken, unauthorized } from '../token-verifier.ts';
import { text } from './answers.ts';

/** Who stands behind a request, by its access token. */
export interface Visitor {
  readonly hub: string;
  /** The token itself, and the JSON text of its payload. */
  readonly accessToken: string;
  readonly tokenPayload: string;
  readonly claims: ClientClaims;
}

/** The visitor, or why there is none: 400 without a hub, 401 without a good token for it. */
export function readVisitor(request: HttpRequest, tokens: TokenVerifier): Visitor | HttpAnswer {
  const hub = requestedHub(request);
  if (hub === undefined) return text(400, 'The query must name a hub: ?hub=<name>.');
  const accessToken = requestToken(request);
  const verified = tokens.verify(accessToken, 'client', hub);
  if (typeof verified === 'string') return unauthorized(verified);
  const { payload } = verified;
  return { hub, accessToken, tokenPayload: payload, claims: readClientClaims(payload) };
}
