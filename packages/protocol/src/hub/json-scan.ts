/** Steps over JSON in bytes, without parsing or allocating. `end` is where the JSON text ends. */

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const BACKSLASH = 0x5c;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;

/** Up to here a loop finds a quote sooner than a call into the engine does. */
const NEAR_BYTES = 16;

/** Where the top-level value at `start` ends: the index of the `,` or `}` after it, or -1. */
export function valueEnd(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start];
  let at = start;
  if (first === QUOTE || first === OPEN_BRACE || first === OPEN_BRACKET) {
    at = first === QUOTE ? stringEnd(bytes, start, end) : nestedEnd(bytes, start, end);
    if (at === -1) return -1;
    at = skipSpace(bytes, at, end);
    return at < end && endsValue(bytes[at]) ? at : -1;
  }
  while (at < end && !endsValue(bytes[at])) at++;
  return at < end ? at : -1;
}

export function endsValue(byte: number | undefined): boolean {
  return byte === COMMA || byte === CLOSE_BRACE;
}

const STRING = 2;
/** What a byte does to the depth of brackets, in a table since most bytes do nothing. */
const TURNS = new Int8Array(256);
TURNS[QUOTE] = STRING;
TURNS[OPEN_BRACE] = TURNS[OPEN_BRACKET] = 1;
TURNS[CLOSE_BRACE] = TURNS[CLOSE_BRACKET] = -1;

/** The index just after the object or array that opens at `open`, or -1. */
export function nestedEnd(bytes: Uint8Array, open: number, end: number): number {
  let depth = 0;
  let at = open;
  while (at < end) {
    const turn = TURNS[bytes[at] as number] as number;
    if (turn === 0) {
      at++;
    } else if (turn === STRING) {
      at = stringEnd(bytes, at, end);
      if (at === -1) return -1;
    } else {
      depth += turn;
      at++;
      if (depth === 0) return at;
    }
  }
  return -1;
}

/** The index just after the string whose opening quote is at `open`, or -1. */
export function stringEnd(bytes: Uint8Array, open: number, end: number): number {
  let quote = nextQuote(bytes, open + 1, end);
  while (quote !== -1) {
    let before = quote;
    while (bytes[before - 1] === BACKSLASH) before--;
    if ((quote - before) % 2 === 0) return quote + 1;
    quote = nextQuote(bytes, quote + 1, end);
  }
  return -1;
}

function nextQuote(bytes: Uint8Array, start: number, end: number): number {
  const near = Math.min(start + NEAR_BYTES, end);
  for (let at = start; at < near; at++) if (bytes[at] === QUOTE) return at;
  if (near === end) return -1;
  const far = bytes.indexOf(QUOTE, near);
  return far < end ? far : -1;
}

export function skipSpace(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isSpace(bytes[at])) at++;
  return at;
}

export function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Whether the JSON text `bytes[start, end)` is `name`, in letters or `\u` escapes of them. */
export function spells(bytes: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  let at = start;
  for (let i = 0; i < name.length; i++) {
    if (bytes[at] === name[i]) at++;
    else if (escapedAt(bytes, at) === name[i]) at += 6;
    else return false;
  }
  return at === end;
}

/** The character code of a `\uXXXX` at `at`, or -1. */
function escapedAt(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== BACKSLASH || bytes[at + 1] !== 0x75) return -1;
  let code = 0;
  for (let i = at + 2; i < at + 6; i++) {
    const byte = bytes[i] ?? 0;
    const letter = byte | 0x20;
    if (byte >= 0x30 && byte <= 0x39) code = code * 16 + byte - 0x30;
    else if (letter >= 0x61 && letter <= 0x66) code = code * 16 + letter - 0x57;
    else return -1;
  }
  return code;
}
