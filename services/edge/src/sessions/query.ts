/** Reads single values off a raw query: three are needed of every connect, so nothing else is parsed. */

/** The values of a key, in their order, percent-decoded; one that cannot be decoded is as it came. */
export function queryValues(query: string, name: string): string[] {
  const values: string[] = [];
  for (const part of query.split('&')) {
    if (!part.startsWith(name)) continue;
    if (part.length === name.length) values.push('');
    else if (part[name.length] === '=') values.push(decode(part.slice(name.length + 1)));
  }
  return values;
}

export function queryValue(query: string, name: string): string | undefined {
  return queryValues(query, name)[0];
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
