import { canonicalOrigin } from '@trunkline/settings';
import type { HttpRequest } from '../ports/listener.ts';

/**
 * Whether a request may be served as far as its Origin goes: `allowed` has it, or `*`; it comes from
 * no page; or from one of the host that was asked, which needs no permission.
 *
 * @param host what the client asked, proxies reckoned in: `Source.host`
 * @param allowed canonical origins, or `*` for every one
 */
export function originAllowed(
  request: Pick<HttpRequest, 'headers'>,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  const given = request.headers.get('origin');
  if (given === undefined || allowed.includes('*')) return true;
  const origin = canonicalOrigin(given);
  if (origin === undefined) return false;
  return allowed.includes(origin) || (host !== undefined && origin === onScheme(origin, host));
}

/** The origin of the host's pages, had they the same scheme: what scheme a proxy took is unknown. */
function onScheme(origin: string, host: string): string | undefined {
  return canonicalOrigin(`${origin.slice(0, origin.indexOf('://'))}://${host}`);
}
