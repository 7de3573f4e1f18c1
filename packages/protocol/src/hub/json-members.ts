import {
  CLOSE_BRACKET,
  COMMA,
  endsValue,
  isSpace,
  nestedEnd,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipSpace,
  stringEnd,
} from './json-scan.ts';

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
    const after = itemEnd(bytes, start, end);
    members.set(name.toLowerCase(), bytes.subarray(start, after));
    at = behindComma(bytes, after, end);
  }
  return members;
}

/** The items of a JSON array, likewise; undefined where it is none. */
export function jsonItems(bytes: Buffer): Buffer[] | undefined {
  const end = bytes.length;
  let at = skipSpace(bytes, 0, end);
  if (bytes[at] !== OPEN_BRACKET) return undefined;
  const items: Buffer[] = [];
  at = skipSpace(bytes, at + 1, end);
  while (at < end && bytes[at] !== CLOSE_BRACKET) {
    const after = itemEnd(bytes, at, end);
    items.push(bytes.subarray(at, after));
    at = behindComma(bytes, after, end);
  }
  return items;
}

/** Where the next name or item begins, or the object or array ends. */
function behindComma(bytes: Buffer, start: number, end: number): number {
  const at = skipSpace(bytes, start, end);
  return bytes[at] === COMMA ? skipSpace(bytes, at + 1, end) : at;
}

/** Of a value within an object or array. */
function itemEnd(bytes: Buffer, start: number, end: number): number {
  const first = bytes[start];
  if (first === QUOTE) return stringEnd(bytes, start, end);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return nestedEnd(bytes, start, end);
  let at = start;
  while (at < end && !endsItem(bytes[at])) at++;
  return at;
}

function endsItem(byte: number | undefined): boolean {
  return endsValue(byte) || byte === CLOSE_BRACKET || isSpace(byte);
}
