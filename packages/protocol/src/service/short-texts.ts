/** Texts up to this length are remembered: names of hubs and hub protocols, and many of groups and users. */
export const SHORT_BYTES = 16;
const PLACES = 256;

/** What was read last, by a hash of its bytes. */
const latest: (string | undefined)[] = Array.from({ length: PLACES });

/**
 * The UTF-8 text in `bytes[start, end)`, of one to `SHORT_BYTES` bytes. The same few texts come in most
 * messages: to compare one with what was read last costs far less than to make it.
 */
export function readShortText(bytes: Buffer, start: number, end: number): string {
  const place = (bytes[start]! * 31 + bytes[end - 1]! * 7 + end - start) % PLACES;
  const known = latest[place];
  if (known !== undefined && isSame(known, bytes, start, end)) return known;
  return (latest[place] = bytes.toString('utf8', start, end));
}

/** Never true of a text that is not ASCII. */
function isSame(text: string, bytes: Buffer, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let at = 0; at < text.length; at++) {
    const byte = bytes[start + at]!;
    if (byte > 0x7f || text.charCodeAt(at) !== byte) return false;
  }
  return true;
}
