import { SettingsError } from './errors.ts';
import { parseUrl } from './parse-url.ts';

/** `scheme://host[:port]`, as browsers send it; a slash at the end does no harm. */
const ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[^/?#@*\s]+\/?$/i;

/**
 * An origin in the one form that can be compared: lower case, without the scheme's own port, without
 * a slash. Undefined for what is none, such as the `null` of a page that has no origin.
 */
export function canonicalOrigin(text: string): string | undefined {
  const url = ORIGIN.test(text) ? parseUrl(text) : undefined;
  return url && `${url.protocol}//${url.host}`.toLowerCase();
}

/**
 * What `--allowed-origins` lists: canonical origins, or `*` for every one.
 * @throws SettingsError
 */
export function readOrigins(entries: readonly string[]): string[] {
  return entries.map((entry) => {
    const origin = entry === '*' ? entry : canonicalOrigin(entry);
    if (origin !== undefined) return origin;
    throw new SettingsError(
      `'${entry}' is no origin: --allowed-origins takes * or scheme://host[:port], without a path`,
    );
  });
}
