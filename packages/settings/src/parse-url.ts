/**
 * The URL that a text is; undefined where it is none. Not by `URL.canParse`, which forgets Latin letters
 * beyond ASCII once it is compiled (Node 20, 22). `packages/tokens` has the same: it is published, and
 * packages import no sibling.
 */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
