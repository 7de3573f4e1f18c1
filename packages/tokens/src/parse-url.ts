/**
 * The URL that a text is; undefined where it is none. Not by `URL.canParse`: once V8 has compiled a
 * caller of it, Node 20 and 22 answer false for every text with a letter from U+0080 to U+00FF.
 */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
