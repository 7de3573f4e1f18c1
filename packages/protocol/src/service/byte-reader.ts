// By its name alone it would be looked up in the global object again, for each reader that is made.
import { Buffer } from 'node:buffer';
import { ProtocolError } from '../errors.ts';
import { MAX_DEPTH, MAX_ELEMENTS } from './limits.ts';
import { readShortText, SHORT_BYTES } from './short-texts.ts';
import type { Timestamp } from './timestamp.ts';
import { isTimestampSize, readTimestamp } from './timestamp.ts';

/** The extension type of timestamps. */
const TIMESTAMP = -1;

/** Where the body of the frame at `start` begins: behind its length prefix, which is complete. */
export function frameBodyStart(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at]! > 0x7f) at++;
  return at + 1;
}

/**
 * Reads MessagePack values off `bytes[offset, end)`. Nothing announced is trusted: every length is
 * held against what is there before anything is allocated for it. Integers are read in any width
 * (service protocol reference, section 5.2). Throws ProtocolError with the offset in `bytes`.
 */
export class ByteReader {
  readonly bytes: Buffer;
  offset: number;
  readonly end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = start;
    this.end = end;
  }

  arrayHeader(): number {
    return this.#count(0x90, 0xdc, 'an array');
  }

  mapHeader(): number {
    return this.#count(0x80, 0xde, 'a map');
  }

  int(): number {
    const at = this.offset;
    const tag = this.#byte();
    if (tag < 0x80) return tag;
    if (tag >= 0xe0) return tag - 0x100;
    switch (tag) {
      case 0xcc:
        return this.#uint(1);
      case 0xcd:
        return this.#uint(2);
      case 0xce:
        return this.#uint(4);
      case 0xcf:
        return this.#wide(this.#uint(4), at);
      case 0xd0:
        return (this.#uint(1) << 24) >> 24;
      case 0xd1:
        return (this.#uint(2) << 16) >> 16;
      case 0xd2:
        return this.#uint(4) | 0;
      case 0xd3:
        return this.#wide(this.#uint(4) | 0, at);
      default:
        throw new ProtocolError('wrong-type', at, 'expected an integer');
    }
  }

  /** An integer, in any width, that fits 32 bits with a sign: what every count and id here does. */
  int32(): number {
    const at = this.offset;
    const value = this.int();
    if (value !== (value | 0)) throw new ProtocolError('oversized', at, 'integer over 32 bits');
    return value;
  }

  /** An unsigned integer of any width as eight big-endian bytes of its own. */
  uint64(): Uint8Array {
    const value = new Uint8Array(8);
    const at = this.offset;
    const tag = this.#byte();
    if (tag === 0xcf || tag === 0xd3) {
      const start = this.#take(8);
      value.set(this.bytes.subarray(start, start + 8));
      if (tag === 0xcf || value[0]! < 0x80) return value;
    } else {
      this.offset = at;
      const small = this.int();
      new DataView(value.buffer).setUint32(4, small);
      if (small >= 0) return value;
    }
    throw new ProtocolError('wrong-type', at, 'expected an unsigned integer');
  }

  boolean(): boolean {
    const at = this.offset;
    const tag = this.#byte();
    if (tag !== 0xc2 && tag !== 0xc3) {
      throw new ProtocolError('wrong-type', at, 'expected a boolean');
    }
    return tag === 0xc3;
  }

  /** True, and past it, when the next value is nil. */
  nil(): boolean {
    if (this.offset >= this.end || this.bytes[this.offset] !== 0xc0) return false;
    this.offset++;
    return true;
  }

  text(): string {
    const size = this.#textSize();
    const start = this.#take(size);
    if (size > 0 && size <= SHORT_BYTES) return readShortText(this.bytes, start, start + size);
    return this.bytes.toString('utf8', start, start + size);
  }

  /** Passes over a text, and answers whether it is this one. */
  isText(text: string): boolean {
    const size = this.#textSize();
    const start = this.#take(size);
    const { bytes } = this;
    for (let at = 0; at < size && at < text.length; at++) {
      const byte = bytes[start + at]!;
      if (byte > 0x7f) return bytes.toString('utf8', start, start + size) === text;
      if (byte !== text.charCodeAt(at)) return false;
    }
    return size === text.length;
  }

  /** Passes over a text. */
  skipText(): void {
    this.#take(this.#textSize());
  }

  /** The bytes themselves, not a copy. Nil reads as empty (section 5.2). */
  binary(): Uint8Array {
    const size = this.#binarySize();
    const start = this.#take(size);
    return this.bytes.subarray(start, start + size);
  }

  /** Passes over what `binary` reads, and answers how many bytes that are. */
  skipBinary(): number {
    const size = this.#binarySize();
    this.#take(size);
    return size;
  }

  /** A timestamp in any of its three forms: of 4, 8 or 12 bytes. */
  timestamp(): Timestamp {
    const at = this.offset;
    const size = this.#extensionSize(this.#byte(), at);
    const start = this.#take(1 + size);
    const type = this.bytes.readInt8(start);
    if (type !== TIMESTAMP || !isTimestampSize(size)) {
      throw new ProtocolError('wrong-type', at, 'expected a timestamp');
    }
    const { buffer, byteOffset, length } = this.bytes;
    const time = readTimestamp(new DataView(buffer, byteOffset, length), start + 1, size);
    if (time.nanoseconds < 1e9 && Number.isSafeInteger(time.seconds)) return time;
    throw new ProtocolError('oversized', at, 'a timestamp that is no time');
  }

  /** Passes over one value of any type. */
  skip(depth = 0): void {
    const at = this.offset;
    if (depth > MAX_DEPTH) throw new ProtocolError('too-deep', at, 'values nest too deeply');
    const tag = this.#byte();
    if (tag === 0xc1) throw new ProtocolError('wrong-type', at, 'a byte that starts no value');
    if (tag < 0x80 || tag >= 0xe0 || (tag >= 0xc0 && tag <= 0xc3)) return;
    if (tag < 0x90) this.#skipMany((tag & 0x0f) * 2, depth);
    else if (tag < 0xa0) this.#skipMany(tag & 0x0f, depth);
    else if (tag < 0xc0) this.#take(tag & 0x1f);
    else this.#skipWide(tag, depth);
  }

  #extensionSize(tag: number, at: number): number {
    if (tag >= 0xd4 && tag <= 0xd8) return 1 << (tag - 0xd4);
    if (tag >= 0xc7 && tag <= 0xc9) return this.#uint(1 << (tag - 0xc7));
    throw new ProtocolError('wrong-type', at, 'expected a timestamp');
  }

  #skipWide(tag: number, depth: number): void {
    if (tag >= 0xdc) {
      const count = this.#uint(tag % 2 === 0 ? 2 : 4);
      this.#skipMany(tag >= 0xde ? count * 2 : count, depth);
    } else if (tag >= 0xd9) this.#take(this.#uint(1 << (tag - 0xd9)));
    else if (tag >= 0xd4) this.#take((1 << (tag - 0xd4)) + 1);
    else if (tag >= 0xd0) this.#take(1 << (tag - 0xd0));
    else if (tag >= 0xcc) this.#take(1 << (tag - 0xcc));
    else if (tag >= 0xca) this.#take(tag === 0xca ? 4 : 8);
    else if (tag >= 0xc7) this.#take(this.#uint(1 << (tag - 0xc7)) + 1);
    else this.#take(this.#uint(1 << (tag - 0xc4)));
  }

  #skipMany(count: number, depth: number): void {
    for (let i = 0; i < count; i++) this.skip(depth + 1);
  }

  #binarySize(): number {
    if (this.nil()) return 0;
    const at = this.offset;
    const tag = this.#byte();
    if (tag < 0xc4 || tag > 0xc6) throw new ProtocolError('wrong-type', at, 'expected binary');
    return this.#uint(tag === 0xc4 ? 1 : tag === 0xc5 ? 2 : 4);
  }

  #textSize(): number {
    const at = this.offset;
    const tag = this.#byte();
    if (tag >= 0xa0 && tag < 0xc0) return tag & 0x1f;
    if (tag >= 0xd9 && tag <= 0xdb) return this.#uint(1 << (tag - 0xd9));
    throw new ProtocolError('wrong-type', at, 'expected a string');
  }

  #count(fix: number, wide: number, what: string): number {
    const at = this.offset;
    const tag = this.#byte();
    const fixed = tag >= fix && tag < fix + 16;
    if (!fixed && tag !== wide && tag !== wide + 1) {
      throw new ProtocolError('wrong-type', at, `expected ${what}`);
    }
    const count = fixed ? tag - fix : this.#uint(tag === wide ? 2 : 4);
    // Each element takes a byte at the least, so a count beyond the rest is a lie.
    if (count > this.end - this.offset) {
      throw new ProtocolError('truncated', at, `${what} announces ${count} elements`);
    }
    if (count > MAX_ELEMENTS) throw new ProtocolError('oversized', at, `${what} of ${count}`);
    return count;
  }

  #wide(high: number, at: number): number {
    const value = high * 0x100000000 + this.#uint(4);
    if (!Number.isSafeInteger(value)) throw new ProtocolError('oversized', at, 'integer too large');
    return value;
  }

  #uint(size: number): number {
    let at = this.#take(size);
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 0x100 + this.bytes[at++]!;
    return value;
  }

  #byte(): number {
    return this.bytes[this.#take(1)]!;
  }

  #take(size: number): number {
    const start = this.offset;
    if (size > this.end - start) {
      throw new ProtocolError(
        'truncated',
        start,
        `${size} bytes announced, ${this.end - start} left`,
      );
    }
    this.offset = start + size;
    return start;
  }
}
