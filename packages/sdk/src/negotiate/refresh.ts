import type { TokenOptions } from './handler.ts';

/** Where clients bring the connection token: .NET 11's in this header, others in the query's `id`. */
const CONNECTION_TOKEN_HEADER = 'x-signalr-connection-token';

/** Seconds that tokens are good for unless the app says otherwise. */
const DEFAULT_LIFETIME_SECONDS = 3600;

/** Why a refresh is refused, in .NET's words, and with which status. */
export const REFRESH_REFUSALS = {
  refresh_disabled: 404,
  missing_connection_token: 400,
  invalid_token: 401,
  connection_not_found: 404,
  permission_change_rejected: 403,
  internal_server_error: 500,
} as const;

export type RefreshRefusal = keyof typeof REFRESH_REFUSALS;

/** The connection token of a refresh request; empty where there is none. */
export function connectionTokenOf(request: unknown, query: string): string {
  const { headers } = request as { headers: unknown };
  const named =
    headers instanceof Headers
      ? headers.get(CONNECTION_TOKEN_HEADER)
      : (headers as Record<string, unknown>)[CONNECTION_TOKEN_HEADER];
  if (typeof named === 'string' && named !== '') return named;
  return new URLSearchParams(query).get('id') ?? '';
}

/**
 * How long a token is good for where clients refresh it: as ever, but no longer than the sign-in.
 * Whole seconds, 0 for a sign-in that is over.
 */
export function refreshedLifetime(
  { tokenLifetimeSeconds = DEFAULT_LIFETIME_SECONDS }: TokenOptions,
  expiresAt: Date | undefined,
): number {
  if (expiresAt === undefined) return tokenLifetimeSeconds;
  const left = Math.floor((expiresAt.getTime() - Date.now()) / 1000);
  return Math.max(0, Math.min(tokenLifetimeSeconds, left));
}
