import type { RecordInfo } from './record-info.ts';

/** Ids kept outside the window; with the longest of them this is some tens of KB per client. */
export const OPEN_CALLS_OUTSIDE_MAX = 256;
/** An id longer than this (raw bytes) is not tracked. Real ids are counters or UUIDs. */
export const OPEN_CALL_ID_BYTES_MAX = 64;

const WINDOW = 32;

/**
 * The invocation ids a client has calls open under. Counted ids, which all official clients send,
 * are bits of a window that moves along with them and costs no memory per call. A Set exists only
 * while it holds something: ids that are not integers, and calls (streams, mostly) that stay open
 * while 32 later ids begin.
 */
export class OpenCalls {
  /** The id of bit 0; means nothing while no bit is set. */
  #base = 0;
  #bits = 0;
  /** How many calls are open that are not tracked: while there are any, `ids` is not all. */
  missed = 0;
  /** Never holds an id whose bit is set. */
  #outside: Set<number | string> | undefined;

  get size(): number {
    return countBits(this.#bits) + (this.#outside?.size ?? 0);
  }

  /**
   * Opens the call that the record classified as `info` in `bytes` starts. False when it is not
   * tracked: no id, too long a one, or too many outside the window. An id that is open stays so.
   */
  add(info: RecordInfo, bytes: Uint8Array): boolean {
    const key = keyOf(info, bytes);
    const tracked = key !== undefined && this.#addKey(key);
    if (!tracked) this.missed++;
    return tracked;
  }

  /** Closes the call that the record ends; false when it was not known to be open. */
  delete(info: RecordInfo, bytes: Uint8Array): boolean {
    const key = keyOf(info, bytes);
    const known = key !== undefined && this.#deleteKey(key);
    if (!known && this.missed > 0) this.missed--;
    return known;
  }

  /** The open ids as text: those of the window in order, then the others as they came. */
  ids(): string[] {
    const ids: string[] = [];
    for (let i = 0; i < WINDOW; i++) {
      if ((this.#bits & (1 << i)) !== 0) ids.push(String(this.#base + i));
    }
    for (const id of this.#outside ?? []) ids.push(String(id));
    return ids;
  }

  #addKey(key: number | string): boolean {
    if (this.#outside?.has(key) === true) return true;
    return typeof key === 'number' ? this.#addNumber(key) : this.#addOutside(key);
  }

  #deleteKey(key: number | string): boolean {
    return (typeof key === 'number' && this.#deleteBit(key)) || this.#deleteOutside(key);
  }

  #addNumber(id: number): boolean {
    if (this.#bits !== 0 && id >= this.#base + WINDOW && !this.#slideUp(id - WINDOW + 1)) {
      return false;
    }
    if (this.#bits === 0) this.#base = id;
    if (id < this.#base) {
      const shift = this.#base - id;
      if (shift > Math.clz32(this.#bits)) return this.#addOutside(id);
      this.#bits <<= shift;
      this.#base = id;
    }
    this.#bits |= 1 << (id - this.#base);
    return true;
  }

  /** Moves the window up to `base`; what is still open below it goes outside. */
  #slideUp(base: number): boolean {
    const shift = base - this.#base;
    const leaving = shift < WINDOW ? this.#bits & ((1 << shift) - 1) : this.#bits;
    const outside = (this.#outside?.size ?? 0) + countBits(leaving);
    if (outside > OPEN_CALLS_OUTSIDE_MAX) return false;
    for (let bits = leaving; bits !== 0; bits &= bits - 1) {
      this.#addOutside(this.#base + 31 - Math.clz32(bits & -bits));
    }
    this.#bits = shift < WINDOW ? (this.#bits >>> shift) | 0 : 0;
    this.#base = base;
    return true;
  }

  #addOutside(key: number | string): boolean {
    this.#outside ??= new Set();
    if (this.#outside.size >= OPEN_CALLS_OUTSIDE_MAX) return false;
    this.#outside.add(key);
    return true;
  }

  #deleteBit(id: number): boolean {
    const offset = id - this.#base;
    if (offset < 0 || offset >= WINDOW || (this.#bits & (1 << offset)) === 0) return false;
    this.#bits &= ~(1 << offset);
    return true;
  }

  #deleteOutside(key: number | string): boolean {
    if (this.#outside?.delete(key) !== true) return false;
    if (this.#outside.size === 0) this.#outside = undefined;
    return true;
  }
}

function keyOf(info: RecordInfo, bytes: Uint8Array): number | string | undefined {
  if (info.id !== -1) return info.id;
  if (info.idEnd - info.idStart > OPEN_CALL_ID_BYTES_MAX) return undefined;
  return info.idText(bytes);
}

function countBits(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count++;
  return count;
}
