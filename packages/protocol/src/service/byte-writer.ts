import { discard } from '../discard.ts';
import type { Timestamp } from './timestamp.ts';

/**
 * A growing buffer of MessagePack values and framed service messages. One is kept per socket and
 * reused: what is written is sent once a turn, then `clear()`ed.
 * Encoding rules: service protocol reference, sections 5.1 (VarInt frame) and 5.2 (MessagePack).
 */

const FRAME_PREFIX_MAX = 5;
/** Bytes of the longest header of a string, a binary, an array or a map. */
const HEADER_MAX = 5;
/** Bytes of the longest timestamp. */
const TIMESTAMP_MAX = 15;
/** Up to here a plain loop beats a call into the native encoder. */
const SHORT_TEXT = 48;

export class ByteWriter {
  /** What has been written is `buffer[0, length)`; it moves when the buffer grows. */
  buffer: Buffer;
  length = 0;
  readonly #initialBytes: number;

  constructor(initialBytes = 4096) {
    this.#initialBytes = initialBytes;
    this.buffer = Buffer.allocUnsafeSlow(initialBytes);
  }

  /** The written bytes, without a copy: valid until the next write. */
  view(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  /** Empties the buffer, and gives back memory that one burst made it take. */
  clear(keepBytes = 1024 * 1024): void {
    this.length = 0;
    if (this.buffer.length > keepBytes) this.buffer = Buffer.allocUnsafeSlow(this.#initialBytes);
  }

  /** Gives the memory back at once: for a writer that is used no more. */
  discard(): void {
    this.length = 0;
    discard(this.buffer);
  }

  reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  nil(): void {
    this.byte(0xc0);
  }

  boolean(value: boolean): void {
    this.byte(value ? 0xc3 : 0xc2);
  }

  /** An integer within ±2^53 (negative: within int32), in its shortest form. */
  int(value: number): void {
    this.reserve(9);
    if (value >= 0) {
      if (value < 0x80) this.buffer[this.length++] = value;
      else if (value < 0x100) this.#tagged(0xcc, value, 1);
      else if (value < 0x10000) this.#tagged(0xcd, value, 2);
      else if (value < 0x100000000) this.#tagged(0xce, value, 4);
      else this.#wide(value);
    } else if (value >= -0x20) this.buffer[this.length++] = value + 0x100;
    else if (value >= -0x80) this.#tagged(0xd0, value + 0x100, 1);
    else if (value >= -0x8000) this.#tagged(0xd1, value + 0x10000, 2);
    else this.int32(value);
  }

  /** An integer as five-byte int32, whatever its size (message 39 does so). */
  int32(value: number): void {
    this.reserve(5);
    this.buffer[this.length] = 0xd2;
    this.buffer.writeInt32BE(value, this.length + 1);
    this.length += 5;
  }

  /** Eight big-endian bytes as an unsigned integer in its shortest form. */
  uint64(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
    if (view.getUint32(0) === 0) {
      this.int(view.getUint32(4));
      return;
    }
    this.byte(0xcf);
    this.raw(bytes);
  }

  /** A time in the shortest form that holds it, as .NET writes it too. */
  timestamp({ seconds, nanoseconds }: Timestamp): void {
    this.reserve(TIMESTAMP_MAX);
    const { buffer } = this;
    const at = this.length;
    if (seconds < 0 || seconds >= 2 ** 34) {
      buffer.writeUIntBE(0xc70cff, at, 3);
      buffer.writeUInt32BE(nanoseconds, at + 3);
      buffer.writeBigInt64BE(BigInt(seconds), at + 7);
      this.length += TIMESTAMP_MAX;
    } else if (nanoseconds === 0 && seconds < 2 ** 32) {
      buffer.writeUInt16BE(0xd6ff, at);
      buffer.writeUInt32BE(seconds, at + 2);
      this.length += 6;
    } else {
      buffer.writeUInt16BE(0xd7ff, at);
      buffer.writeUInt32BE(nanoseconds * 4 + Math.floor(seconds / 2 ** 32), at + 2);
      buffer.writeUInt32BE(seconds % 2 ** 32, at + 6);
      this.length += 10;
    }
  }

  arrayHeader(count: number): void {
    this.#header(count, 0x90, 0xdc);
  }

  mapHeader(count: number): void {
    this.#header(count, 0x80, 0xde);
  }

  text(value: string): void {
    if (value.length <= SHORT_TEXT && this.#ascii(value)) return;
    const bytes = Buffer.byteLength(value);
    this.#textHeader(bytes);
    this.reserve(bytes);
    this.buffer.write(value, this.length, 'utf8');
    this.length += bytes;
  }

  /** A string by its bytes, which are UTF-8. */
  textBytes(bytes: Uint8Array): void {
    this.#textHeader(bytes.length);
    this.raw(bytes);
  }

  binary(bytes: Uint8Array): void {
    this.binaryHeader(bytes.length);
    this.raw(bytes);
  }

  binaryHeader(bytes: number): void {
    this.reserve(HEADER_MAX);
    if (bytes < 0x100) this.#tagged(0xc4, bytes, 1);
    else if (bytes < 0x10000) this.#tagged(0xc5, bytes, 2);
    else this.#tagged(0xc6, bytes, 4);
  }

  /** Opens an array or a map whose length is not known yet; what follows until its end is in it. */
  beginItems(): number {
    this.reserve(HEADER_MAX);
    const start = this.length;
    this.length += HEADER_MAX;
    return start;
  }

  /** Writes the header in front of `count` items and closes the gap that was kept for it. */
  endItems(start: number, count: number, kind: 'array' | 'map'): void {
    const items = start + HEADER_MAX;
    const bytes = this.length - items;
    this.length = start;
    if (kind === 'array') this.arrayHeader(count);
    else this.mapHeader(count);
    this.buffer.copyWithin(this.length, items, items + bytes);
    this.length += bytes;
  }

  /** Opens a frame; what follows until `endFrame(start)` is its body. */
  beginFrame(): number {
    this.reserve(FRAME_PREFIX_MAX);
    const start = this.length;
    this.length += FRAME_PREFIX_MAX;
    return start;
  }

  /** Writes the body's length in front of it and closes the gap that was kept for it. */
  endFrame(start: number): void {
    const body = start + FRAME_PREFIX_MAX;
    const bytes = this.length - body;
    this.length = start;
    this.varInt(bytes);
    this.buffer.copyWithin(this.length, body, body + bytes);
    this.length += bytes;
  }

  /** 7 bits a byte, least significant group first (section 5.1). */
  varInt(value: number): void {
    this.reserve(FRAME_PREFIX_MAX);
    let rest = value;
    while (rest > 0x7f) {
      this.buffer[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.length++] = rest;
  }

  #ascii(value: string): boolean {
    const size = value.length;
    // All that #textHeader reserves too: growing there would leave the characters behind.
    this.reserve(size + HEADER_MAX);
    const buffer = this.buffer;
    let at = this.length + (size < 32 ? 1 : 2);
    for (let i = 0; i < size; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      buffer[at++] = code;
    }
    this.#textHeader(size);
    this.length += size;
    return true;
  }

  #textHeader(bytes: number): void {
    this.reserve(HEADER_MAX);
    if (bytes < 32) this.buffer[this.length++] = 0xa0 | bytes;
    else if (bytes < 0x100) this.#tagged(0xd9, bytes, 1);
    else if (bytes < 0x10000) this.#tagged(0xda, bytes, 2);
    else this.#tagged(0xdb, bytes, 4);
  }

  #header(count: number, fix: number, wide: number): void {
    this.reserve(HEADER_MAX);
    if (count < 16) this.buffer[this.length++] = fix | count;
    else if (count < 0x10000) this.#tagged(wide, count, 2);
    else this.#tagged(wide + 1, count, 4);
  }

  /** A type byte and a big-endian number of `size` bytes; room must have been reserved. */
  #tagged(tag: number, value: number, size: 1 | 2 | 4): void {
    const buffer = this.buffer;
    let at = this.length;
    buffer[at++] = tag;
    for (let shift = (size - 1) * 8; shift >= 0; shift -= 8)
      buffer[at++] = (value >>> shift) & 0xff;
    this.length = at;
  }

  #wide(value: number): void {
    this.#tagged(0xcf, Math.floor(value / 0x100000000), 4);
    this.buffer.writeUInt32BE(value >>> 0, this.length);
    this.length += 4;
  }
}
