/** Steps over MessagePack in bytes, without decoding or allocating. `end` is where it ends. */

/** For the tags 0xc0..0xdf: bytes of value after the tag, or after the length for the sized ones. */
const FIXED_BYTES = [
  0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17, 0, 0, 0, 0, 0, 0, 0,
];
/** For the same tags: bytes of the length (bin, ext, str) or the count (array, map). */
const LENGTH_BYTES = [
  0, 0, 0, 0, 1, 2, 4, 1, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4,
];
const ARRAY_16 = 0xdc;
const MAP_16 = 0xde;

/** The index just after the value at `start`, or -1 when it does not end by `end`. */
export function msgpackValueEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  // A count of values still to step over, in place of a stack: depth costs nothing.
  for (let pending = 1; pending > 0; pending--) {
    if (at >= end) return -1;
    const tag = bytes[at++] as number;
    if (tag < 0x80 || tag >= 0xe0) continue;
    if (tag < 0x90) pending += 2 * (tag & 0x0f);
    else if (tag < 0xa0) pending += tag & 0x0f;
    else if (tag < 0xc0) at += tag & 0x1f;
    else {
      const size = LENGTH_BYTES[tag - 0xc0] as number;
      const length = size === 0 ? 0 : uintAt(bytes, at, size, end);
      if (length === -1) return -1;
      at += size;
      if (tag >= MAP_16) pending += 2 * length;
      else if (tag >= ARRAY_16) pending += length;
      else at += length + (FIXED_BYTES[tag - 0xc0] as number);
    }
  }
  return at <= end ? at : -1;
}

/** Levels that a message may have: .NET gives up beyond 500, and what people send has a dozen. */
const MAX_LEVELS = 100;

/** What is still to come of the array or map at each level; scans take turns. */
const pendingAt = new Float64Array(MAX_LEVELS + 1);

/**
 * Whether arrays and maps are nested over 100 levels deep in the values `bytes[start, end)`: readers
 * that recurse end by a full stack. Says nothing of whether the values are whole. It reads tags as
 * `msgpackValueEnd` does, in a copy: one function for a tag makes both a quarter slower.
 */
export function msgpackTooDeep(bytes: Uint8Array, start: number, end: number): boolean {
  // A level takes a byte at least: most messages are known by their length.
  if (end - start <= MAX_LEVELS) return false;
  let level = 0;
  for (let at = start; at < end;) {
    const tag = bytes[at++] as number;
    let children = 0;
    if (tag >= 0x80 && tag < 0xe0) {
      if (tag < 0x90) children = 2 * (tag & 0x0f);
      else if (tag < 0xa0) children = tag & 0x0f;
      else if (tag < 0xc0) at += tag & 0x1f;
      else {
        const size = LENGTH_BYTES[tag - 0xc0] as number;
        const length = size === 0 ? 0 : uintAt(bytes, at, size, end);
        if (length === -1) return false;
        at += size;
        if (tag >= MAP_16) children = 2 * length;
        else if (tag >= ARRAY_16) children = length;
        else at += length + (FIXED_BYTES[tag - 0xc0] as number);
      }
    }
    if (children > 0) {
      if (level === MAX_LEVELS) return true;
      pendingAt[++level] = children;
    } else {
      while (level > 0 && (pendingAt[level] = (pendingAt[level] as number) - 1) === 0) level--;
    }
  }
  return false;
}

/** Where the first element of the array at `at` starts, or -1; `count` elements at least. */
export function msgpackFirst(bytes: Uint8Array, at: number, end: number, count: number): number {
  if (at >= end) return -1;
  const tag = bytes[at] as number;
  if (tag >= 0x90 && tag < 0xa0) return (tag & 0x0f) < count ? -1 : at + 1;
  if (tag !== ARRAY_16 && tag !== ARRAY_16 + 1) return -1;
  const size = LENGTH_BYTES[tag - 0xc0] as number;
  return uintAt(bytes, at + 1, size, end) < count ? -1 : at + 1 + size;
}

/** The integer at `at`, written in any width, if it is one of 0..2^31-1; otherwise -1. */
export function msgpackInt(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return -1;
  const tag = bytes[at] as number;
  if (tag < 0x80) return tag;
  if (tag < 0xcc || tag > 0xd3) return -1;
  const size = FIXED_BYTES[tag - 0xc0] as number;
  const value = uintAt(bytes, at + 1, size, end);
  const signed = tag >= 0xd0 && size < 4;
  return value > (signed ? 2 ** (8 * size - 1) - 1 : 0x7fffffff) ? -1 : value;
}

/** Where the text of the string at `at` starts, or -1 when it is no string. */
export function msgpackTextStart(bytes: Uint8Array, at: number, end: number): number {
  const tag = at < end ? (bytes[at] as number) : 0;
  if (tag >= 0xa0 && tag < 0xc0) return at + 1;
  return tag >= 0xd9 && tag <= 0xdb ? at + 1 + (LENGTH_BYTES[tag - 0xc0] as number) : -1;
}

function uintAt(bytes: Uint8Array, at: number, size: number, end: number): number {
  if (at + size > end) return -1;
  let value = 0;
  for (let i = at; i < at + size; i++) value = value * 256 + (bytes[i] as number);
  return value;
}
