import { memo } from './memo.ts';
import { parseUrl } from './parse-url.ts';

/** What a token must have been made for. */
export interface Audience {
  readonly use: TokenUse;
  /** The hub key, lower case. */
  readonly hub: string;
  /** For `rest`: the request's path as received, still percent-encoded, without query. */
  readonly path?: string | undefined;
}

export type TokenUse = 'client' | 'server' | 'rest';

/**
 * Whether an `aud` member, text or array of texts, has an element for this use. Scheme, host and
 * port are ignored, since the endpoint a token was minted for need not be the one that was dialled
 * (service protocol reference, section 3.2).
 */
export function isAudience(aud: unknown, wanted: Audience): boolean {
  const candidates: unknown[] = Array.isArray(aud) ? aud : [aud];
  return candidates.some((text) => typeof text === 'string' && matches(text, wanted));
}

function matches(text: string, { use, hub, path }: Audience): boolean {
  const audience = readAudience(text);
  if (use === 'rest') return path !== undefined && isRestPath(audience.path, path);
  if (audience.path !== `/${use}/` && audience.path !== `/${use}`) return false;
  return audience.hub === hub;
}

/** What counts of an audience; a text that is no URL has no path. */
const readAudience = memo((text: string): { path: string; hub: string | undefined } => {
  const url = parseUrl(text);
  if (url === undefined) return { path: '', hub: undefined };
  return { path: url.pathname, hub: url.searchParams.get('hub')?.toLowerCase() };
});

/** Only below `/api/`, so that a client or server token can never open a REST call. */
function isRestPath(audience: string, request: string): boolean {
  return audience.startsWith('/api/') && normalised(audience) === normalised(request);
}

/**
 * Decoded once, segment by segment so that an encoded slash is not a slash, the hub in lower case,
 * without a trailing slash.
 */
function normalised(path: string): string {
  const segments = path.replace(/\/$/, '').split('/').map(decodeSegment);
  // `hub` in the preview of version 1.
  const hub = segments.findIndex((segment) => segment === 'hubs' || segment === 'hub') + 1;
  return JSON.stringify(segments.map((text, i) => (i === hub ? text.toLowerCase() : text)));
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
