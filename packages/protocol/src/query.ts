/**
 * Reads single values off a raw query: three are needed of every connect, so nothing else is parsed.
 * Names count as ASP.NET Core reads them, percent-decoded once and ignoring case: whatever an app
 * server would take for `access_token` is one here. Twice encoded, a name is another one to both.
 */

/** The values of a name, in their order, percent-decoded; one that cannot be decoded is as it came. */
export function queryValues(query: string, name: string): string[] {
  const values: string[] = [];
  for (const pair of query.split('&')) {
    if (isNamed(pair, name)) values.push(decode(pair.slice(nameEnd(pair) + 1)));
  }
  return values;
}

export function queryValue(query: string, name: string): string | undefined {
  return queryValues(query, name)[0];
}

/** A query as it was written, but for the access tokens in it, which are their reader's business alone. */
export function withoutAccessToken(query: string): string {
  return query
    .split('&')
    .filter((pair) => !isNamed(pair, 'access_token'))
    .join('&');
}

/** `name` is in lower case. */
function isNamed(pair: string, name: string): boolean {
  const end = nameEnd(pair);
  // Encoded, a name is never shorter.
  return end >= name.length && decode(pair.slice(0, end)).toLowerCase() === name;
}

function nameEnd(pair: string): number {
  const end = pair.indexOf('=');
  return end === -1 ? pair.length : end;
}

function decode(text: string): string {
  if (!/[%+]/.test(text)) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
