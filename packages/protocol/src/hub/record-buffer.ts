import { discard } from '../discard.ts';
import { BLOCK_BYTES, giveBlock, takeBlock } from './blocks.ts';
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
  /**
   * Of a long record, all blocks but the last; each is full. They are joined when it is complete: were it
   * copied as it grows, those who begin records and never end them would make their receiver copy all day.
   */
  readonly #blocks: Uint8Array[] = [];
  /** The last block, or all that there is. */
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
    return this.#blocks.length * BLOCK_BYTES + (this.#tail?.length ?? 0);
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
      if (this.#held === this.#announced && this.#handOn(sink) === false) return start;
    }
    while (start < chunk.length) {
      const end = recordEnd(this.#binary, chunk, start, this.#limit);
      if (end === -1) {
        this.#keep(chunk, start, chunk.length);
        if (this.#binary) this.#readPrefix();
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
    if (this.#tail !== undefined) giveBlock(this.#tail);
    for (const block of this.#blocks) giveBlock(block);
    this.#forget();
  }

  /** The held record, which has come as far as it announced. */
  #handOn(sink: RecordSink): boolean | void {
    const length = this.#held;
    const joined = this.#joined();
    this.#forget();
    const more = sink(joined.subarray(0, length), 0, length);
    this.#release?.(joined);
    return more;
  }

  #joined(): Uint8Array {
    const tail = this.#tail!;
    if (this.#blocks.length === 0) return tail;
    const joined = new Uint8Array(this.#held);
    let at = 0;
    for (const block of [...this.#blocks, tail]) {
      const rest = this.#held - at;
      joined.set(rest < block.length ? block.subarray(0, rest) : block, at);
      at += block.length;
      giveBlock(block);
    }
    return joined;
  }

  #forget(): void {
    this.#blocks.length = 0;
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
      this.#keep(chunk, taken, taken + 1);
      this.#readPrefix();
      taken++;
    }
    if (this.#announced === -1) return taken;
    const end = Math.min(chunk.length, taken + this.#announced - this.#held);
    this.#keep(chunk, taken, end);
    return end;
  }

  /** Only while that is not known; the record is not long then. */
  #readPrefix(): void {
    this.#announced = binaryRecordLength(this.#tail!, 0, this.#held, this.#limit);
  }

  #keep(chunk: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end;) {
      const used = this.#makeRoom(end - at);
      const tail = this.#tail!;
      const next = Math.min(end, at + tail.length - used);
      tail.set(chunk.subarray(at, next), used);
      this.#held += next - at;
      at = next;
    }
  }

  /**
   * Room for so many bytes, or some of them; answers where in the last block it begins. Memory doubles
   * with what has really come: an announced length alone takes none.
   */
  #makeRoom(bytes: number): number {
    let used = this.#held - this.#blocks.length * BLOCK_BYTES;
    let tail = this.#tail;
    if (tail !== undefined && used === BLOCK_BYTES) {
      this.#blocks.push(tail);
      tail = undefined;
      used = 0;
    }
    const needed = Math.min(BLOCK_BYTES, used + bytes);
    if (tail !== undefined && tail.length >= needed) return used;
    const length = this.#announced === -1 ? this.#limit : this.#announced;
    const most = length - this.#blocks.length * BLOCK_BYTES;
    const doubled = this.#blocks.length > 0 ? BLOCK_BYTES : 2 * (tail?.length ?? 0);
    const wanted = Math.min(most, Math.max(TAIL_BYTES_MIN, doubled));
    const size = Math.min(BLOCK_BYTES, Math.max(needed, wanted));
    const grown = size === BLOCK_BYTES ? takeBlock() : new Uint8Array(size);
    if (tail !== undefined) {
      grown.set(tail.subarray(0, used));
      discard(tail);
    }
    this.#tail = grown;
    return used;
  }
}
