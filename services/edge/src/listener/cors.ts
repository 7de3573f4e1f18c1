import type { HttpRequest } from '../ports/listener.ts';

/** How long a browser may remember a preflight, in seconds. */
const MAX_AGE = '600';

/**
 * The headers that let a browser's script read an answer. Credentials mode is on in clients by
 * default, so the origin is named, never `*` (client protocols reference, section 1.7).
 * `allowed`: canonical origins, which is how browsers write theirs, or `*` for every one.
 */
export function corsHeaders(
  request: HttpRequest,
  allowed: readonly string[],
): Readonly<Record<string, string>> {
  const origin = request.headers.get('origin');
  if (origin === undefined) return {};
  if (!allowed.includes('*') && !allowed.includes(origin)) return { vary: 'Origin' };
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    vary: 'Origin',
  };
}

/** The rest of the answer to a preflight: whatever headers are asked for are allowed. */
export function preflightHeaders(request: HttpRequest): Readonly<Record<string, string>> {
  const asked = request.headers.get('access-control-request-headers');
  return {
    'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
    'access-control-max-age': MAX_AGE,
    ...(asked === undefined ? {} : { 'access-control-allow-headers': asked }),
  };
}
