import { OPEN_BRACE, QUOTE, skipSpace, stringEnd, valueEnd } from './json-scan.ts';

/**
 * The members of a JSON object by their names in lower case, each value as its own bytes: who passes a
 * value on changes nothing of it. Of two members of one name the last counts. The text has to be valid
 * JSON; undefined where it is no object.
 */
export function jsonMembers(bytes: Buffer): Map<string, Buffer> | undefined {
  const end = bytes.length;
  let at = skipSpace(bytes, 0, end);
  if (bytes[at] !== OPEN_BRACE) return undefined;
  const members = new Map<string, Buffer>();
  at = skipSpace(bytes, at + 1, end);
  while (bytes[at] === QUOTE) {
    const nameEnd = stringEnd(bytes, at, end);
    const name = JSON.parse(bytes.toString('utf8', at, nameEnd)) as string;
    const start = skipSpace(bytes, skipSpace(bytes, nameEnd, end) + 1, end);
    const after = valueEnd(bytes, start, end);
    members.set(name.toLowerCase(), bytes.subarray(start, after));
    at = skipSpace(bytes, after + 1, end);
  }
  return members;
}
