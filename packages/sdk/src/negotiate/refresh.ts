import { queryValue } from '@trunkline/protocol';

import { isYes } from '../clients/authorization.ts';
import type { HttpAnswer } from './answers.ts';
import { json } from './answers.ts';
import type { NegotiateRoute } from './handler.ts';
import type { NegotiateOptions } from './options.ts';
import { refreshedLifetime, signedIn, tokenMaker } from './sign-in.ts';

/** Where clients bring the connection token: .NET 11's in this header, others in the query's `id`. */
const CONNECTION_TOKEN_HEADER = 'x-signalr-connection-token';

/** Why a refresh is refused, in .NET's words, and with which status. */
const REFUSALS = {
  refresh_disabled: 404,
  missing_connection_token: 400,
  invalid_token: 401,
  connection_not_found: 404,
  permission_change_rejected: 403,
  internal_server_error: 500,
} as const;

/** Answers `POST <path>/refresh`: a new sign-in of a client that stays connected. */
export async function refreshed<Request>(
  route: NegotiateRoute,
  query: string,
  request: Request,
  options: NegotiateOptions<Request>,
): Promise<HttpAnswer> {
  if (options.authenticationRefresh !== true) return refused('refresh_disabled');
  const connectionToken = connectionTokenOf(request, query);
  if (connectionToken === '') return refused('missing_connection_token');
  const who = await signedIn(request, options);
  if (who.user.userIdentifier === undefined) return refused('invalid_token');
  if (route.authorize !== undefined && !(await isYes(route.authorize(who.user)))) {
    return refused('permission_change_rejected');
  }
  const { expiresAt } = who;
  const tokenLifetimeSeconds = refreshedLifetime(options, expiresAt);
  const tokenFor = tokenMaker(route, options, who, tokenLifetimeSeconds);
  const outcome = await route.refresh({ connectionToken, tokenFor, expiresAt });
  if ('refused' in outcome) return refused(outcome.refused);
  return json({ accessToken: outcome.accessToken, tokenLifetimeSeconds });
}

export function refused(error: keyof typeof REFUSALS): HttpAnswer {
  return json({ error }, REFUSALS[error]);
}

/** The connection token of a refresh request; empty where there is none. */
function connectionTokenOf(request: unknown, query: string): string {
  const { headers } = request as { headers: unknown };
  const named =
    headers instanceof Headers
      ? headers.get(CONNECTION_TOKEN_HEADER)
      : (headers as Record<string, unknown>)[CONNECTION_TOKEN_HEADER];
  if (typeof named === 'string' && named !== '') return named;
  return queryValue(query, 'id') ?? '';
}
