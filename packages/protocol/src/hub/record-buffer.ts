import { discard } from '../discard.ts';
import { binaryRecordLength, oversized, recordEnd, textRecordEnd } from './records.ts';

/** Takes one whole record, `bytes[start, end)`. Answering false, it wants no more for now. */
export type RecordSink = (bytes: Uint8Array, start: number, end: number) => boolean | void;

/** A tail starts this small, since most are a few bytes cut off by a frame's end. */
const TAIL_BYTES_MIN = 64;

/**
 * Cuts a byte stream that arrives in pieces into whole records. Records that lie whole in a piece
 * are handed on in place; only a record cut off by a piece's end is copied, and kept until its rest
 * comes. A record never has more than `limit` bytes, framing included.
 */
export class RecordBuffer {
  readonly #binary: boolean;
  readonly #limit: number;
  readonly #release: ((memory: Uint8Array) => void) | undefined;
  #tail: Uint8Array | undefined;
  #held = 0;
  /** What the held record announced as its length; -1 as long as that is not known. */
  #announced = -1;

  /**
   * `release`: is given the memory of each joined record after the sink has been given the record, to
   * discard it at once or later. Without it a joined record is the sink's own.
   */
  constructor(binary: boolean, limit: number, release?: (memory: Uint8Array) => void) {
    this.#binary = binary;
    this.#limit = limit;
    this.#release = release;
  }

  /** Bytes kept of an unfinished record; 0 at a boundary between records. */
  get held(): number {
    return this.#held;
  }

  /** Bytes of memory that keeping them takes. */
  get reserved(): number {
    return this.#tail?.length ?? 0;
  }

  /**
   * Calls `sink` once for every record that `chunk` completes, in order, until it answers false.
   * `chunk` itself is not kept, and a joined record's bytes belong to `sink`, unless they are released.
   * Answers how many bytes of `chunk` have been taken: all of them, or up to the end of the last record
   * that was handed on.
   * Throws ProtocolError as `recordEnd` does; after that, or after a throw of `sink`, the stream
   * cannot be read on.
   */
  push(chunk: Uint8Array, sink: RecordSink): number {
    let start = 0;
    if (this.#held > 0) {
      start = this.#binary ? this.#joinBinary(chunk) : this.#joinText(chunk);
      const joined = this.#held === this.#announced ? this.#tail : undefined;
      if (joined !== undefined && this.#handOn(joined, sink) === false) return start;
    }
    while (start < chunk.length) {
      const end = recordEnd(this.#binary, chunk, start, this.#limit);
      if (end === -1) {
        const tail = this.#keep(chunk, start, chunk.length);
        if (this.#binary) this.#readPrefix(tail);
        return chunk.length;
      }
      const more = sink(chunk, start, end);
      start = end;
      if (more === false) return start;
    }
    return start;
  }

  /** Keeps nothing any more: what has begun will not end. */
  drop(): void {
    if (this.#tail !== undefined) discard(this.#tail);
    this.#forget();
  }

  /** The held record, which has come as far as it announced. */
  #handOn(joined: Uint8Array, sink: RecordSink): boolean | void {
    const whole = joined.subarray(0, this.#held);
    this.#forget();
    const more = sink(whole, 0, whole.length);
    this.#release?.(joined);
    return more;
  }

  #forget(): void {
    this.#tail = undefined;
    this.#held = 0;
    this.#announced = -1;
  }

  #joinText(chunk: Uint8Array): number {
    const end = textRecordEnd(chunk, 0);
    const taken = end === -1 ? chunk.length : end;
    const least = this.#held + taken + (end === -1 ? 1 : 0);
    if (least > this.#limit) throw oversized(this.#limit, 0);
    this.#keep(chunk, 0, taken);
    if (end !== -1) this.#announced = this.#held;
    return taken;
  }

  #joinBinary(chunk: Uint8Array): number {
    let taken = 0;
    while (this.#announced === -1 && taken < chunk.length) {
      this.#readPrefix(this.#keep(chunk, taken, taken + 1));
      taken++;
    }
    if (this.#announced === -1) return taken;
    const end = Math.min(chunk.length, taken + this.#announced - this.#held);
    this.#keep(chunk, taken, end);
    return end;
  }

  #readPrefix(tail: Uint8Array): void {
    this.#announced = binaryRecordLength(tail, 0, this.#held, this.#limit);
  }

  /** Memory doubles with what has really come: an announced length alone takes none. */
  #keep(chunk: Uint8Array, start: number, end: number): Uint8Array {
    const needed = this.#held + end - start;
    let tail = this.#tail;
    if (tail === undefined || tail.length < needed) {
      const most = this.#announced === -1 ? this.#limit : this.#announced;
      const doubled = Math.max(TAIL_BYTES_MIN, (tail?.length ?? 0) * 2);
      const grown = new Uint8Array(Math.max(needed, Math.min(most, doubled)));
      if (tail !== undefined) {
        grown.set(tail.subarray(0, this.#held));
        discard(tail);
      }
      this.#tail = tail = grown;
    }
    tail.set(chunk.subarray(start, end), this.#held);
    this.#held = needed;
    return tail;
  }
}
