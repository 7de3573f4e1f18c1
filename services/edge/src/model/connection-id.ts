/**
 * A connection id is 20 url-safe characters: the tag of the edge that minted it (4, its home), a
 * slot in that edge's table (4), the slot's generation (3) and a random part (9, 54 bits). The slot
 * makes finding a connection an array access; the rest makes it the right one.
 */

export const CONNECTION_ID_LENGTH = 20;
export const TAG_LENGTH = 4;

const SLOT_LENGTH = 4;
const GENERATION_LENGTH = 3;
const RANDOM_LENGTH = 9;
/** Characters of the end of an id that make a number of 30 bits. */
const TAIL_LENGTH = 5;
const BITS = 6;

export const MAX_SLOTS = 2 ** (SLOT_LENGTH * BITS);
export const GENERATIONS = 2 ** (GENERATION_LENGTH * BITS);
/** Bytes of randomness that `formatConnectionId` uses. */
export const RANDOM_BYTES = RANDOM_LENGTH;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUES = new Int8Array(256).fill(-1);
for (let i = 0; i < ALPHABET.length; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

/** `random`: at least RANDOM_BYTES bytes, of which six bits each are used. */
export function formatConnectionId(
  tag: string,
  slot: number,
  generation: number,
  random: Uint8Array,
): string {
  let tail = '';
  for (let i = 0; i < RANDOM_LENGTH; i++) tail += ALPHABET[random[i]! & 0x3f];
  return tag + digits(slot, SLOT_LENGTH) + digits(generation, GENERATION_LENGTH) + tail;
}

/** The tag of an edge: the first characters of every id it mints. */
export function formatTag(random: Uint8Array): string {
  let tag = '';
  for (let i = 0; i < TAG_LENGTH; i++) tag += ALPHABET[random[i]! & 0x3f];
  return tag;
}

/** The tag of the edge that minted an id; undefined for what is no id of an edge. */
export function tagOf(id: string): string | undefined {
  return id.length === CONNECTION_ID_LENGTH ? id.slice(0, TAG_LENGTH) : undefined;
}

/** The slot named by the id at `bytes[start]`, or -1 where no id can stand. */
export function slotOfBytes(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== CONNECTION_ID_LENGTH) return -1;
  let slot = 0;
  for (let i = start + TAG_LENGTH; i < start + TAG_LENGTH + SLOT_LENGTH; i++) {
    slot = (slot << BITS) | VALUES[bytes[i]!]!;
  }
  return slot;
}

export function slotOfId(id: string): number {
  if (id.length !== CONNECTION_ID_LENGTH) return -1;
  let slot = 0;
  for (let i = TAG_LENGTH; i < TAG_LENGTH + SLOT_LENGTH; i++) {
    slot = (slot << BITS) | (VALUES[id.charCodeAt(i) & 0xff] ?? -1);
  }
  return slot;
}

/** Whether this id stands in the bytes from `start` on. */
export function standsIn(id: string, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < CONNECTION_ID_LENGTH; i++) {
    if (id.charCodeAt(i) !== bytes[start + i]) return false;
  }
  return true;
}

/** The last 30 random bits of the id that ends before `bytes[end]`. */
export function tailOfBytes(bytes: Uint8Array, end: number): number {
  let tail = 0;
  for (let i = end - TAIL_LENGTH; i < end; i++) tail = (tail << BITS) | (VALUES[bytes[i]!]! & 0x3f);
  return tail;
}

export function tailOfId(id: string): number {
  let tail = 0;
  for (let i = id.length - TAIL_LENGTH; i < id.length; i++) {
    tail = (tail << BITS) | (VALUES[id.charCodeAt(i) & 0xff]! & 0x3f);
  }
  return tail;
}

function digits(value: number, length: number): string {
  let text = '';
  for (let shift = (length - 1) * BITS; shift >= 0; shift -= BITS) {
    text += ALPHABET[(value >>> shift) & 0x3f];
  }
  return text;
}
