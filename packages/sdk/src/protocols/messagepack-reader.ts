import type { Timestamp } from '@trunkline/protocol';
import { isTimestampSize, readTimestamp } from '@trunkline/protocol';

import { InvalidDataException } from '../errors.ts';
import { utf8 } from '../utf8.ts';
import { PreciseDate } from './precise-date.ts';
import { checkReadDepth, inexactInteger, MessagePackExtension } from './values.ts';

const TIMESTAMP = -1;
/** Bytes up to which a plain loop beats a call into the native decoder. */
const SHORT_TEXT = 12;
const MAX_NANOSECONDS = 999_999_999;
const MAX_DATE_MS = 8.64e15;

/**
 * Reads MessagePack values of bytes that are known to hold them whole. A map whose keys are all texts
 * is an object, any other a Map; integers beyond 2^53 are BigInts where `useBigInt`. Throws
 * InvalidDataException for what has no JavaScript value; the reader is of no use after that.
 */
export class MessagePackReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #useBigInt: boolean;
  #at: number;

  constructor(bytes: Uint8Array, start: number, useBigInt: boolean) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#useBigInt = useBigInt;
  }

  value(depth = 0): unknown {
    const tag = this.#bytes[this.#at++]!;
    if (tag < 0x80) return tag;
    if (tag >= 0xe0) return tag - 0x100;
    if (tag < 0x90) return this.#map(tag & 0x0f, depth);
    if (tag < 0xa0) return this.#array(tag & 0x0f, depth);
    if (tag < 0xc0) return this.#text(tag & 0x1f);
    if (tag >= 0xdc) {
      const count = this.#uint(tag % 2 === 0 ? 2 : 4);
      return tag >= 0xde ? this.#map(count, depth) : this.#array(count, depth);
    }
    if (tag >= 0xd9) return this.#text(this.#uint(1 << (tag - 0xd9)));
    if (tag >= 0xd4) return this.#extension(1 << (tag - 0xd4));
    return this.#scalar(tag);
  }

  #scalar(tag: number): unknown {
    switch (tag) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#binary(this.#uint(1 << (tag - 0xc4)));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#uint(1 << (tag - 0xc7)));
      case 0xca:
        return this.#view.getFloat32(this.#take(4));
      case 0xcb:
        return this.#view.getFloat64(this.#take(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#uint(1 << (tag - 0xcc));
      case 0xcf:
        return this.#integer(this.#view.getBigUint64(this.#take(8)));
      case 0xd0:
        return this.#view.getInt8(this.#take(1));
      case 0xd1:
        return this.#view.getInt16(this.#take(2));
      case 0xd2:
        return this.#view.getInt32(this.#take(4));
      case 0xd3:
        return this.#integer(this.#view.getBigInt64(this.#take(8)));
      default:
        throw new InvalidDataException(`No MessagePack value begins with the byte ${tag}.`);
    }
  }

  #integer(value: bigint): number | bigint {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    if (this.#useBigInt) return value;
    if (BigInt(number) === value) return number;
    throw inexactInteger(String(value));
  }

  #array(count: number, depth: number): unknown[] {
    checkReadDepth(depth);
    const items: unknown[] = [];
    for (let i = 0; i < count; i++) items.push(this.value(depth + 1));
    return items;
  }

  #map(count: number, depth: number): unknown {
    checkReadDepth(depth);
    const object: Record<string, unknown> = {};
    for (let i = 0; i < count; i++) {
      const key = this.value(depth + 1);
      if (typeof key !== 'string') return this.#mapFrom(object, key, count - i, depth);
      const value = this.value(depth + 1);
      if (key === '__proto__') Object.defineProperty(object, key, { value, ...OWN });
      else object[key] = value;
    }
    return object;
  }

  /** A map of which `object` is what has been read, and `key` the first key that is no text. */
  #mapFrom(object: object, key: unknown, left: number, depth: number): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>(Object.entries(object));
    map.set(key, this.value(depth + 1));
    for (let i = 1; i < left; i++) map.set(this.value(depth + 1), this.value(depth + 1));
    return map;
  }

  #extension(size: number): unknown {
    const type = this.#view.getInt8(this.#take(1));
    if (type === TIMESTAMP) return this.#timestamp(size);
    return new MessagePackExtension(type, this.#binary(size));
  }

  #timestamp(size: number): Date {
    const at = this.#take(size);
    if (isTimestampSize(size)) return dateOf(readTimestamp(this.#view, at, size));
    throw new InvalidDataException(`A timestamp has 4, 8 or 12 bytes, not ${size}.`);
  }

  #text(size: number): string {
    const at = this.#take(size);
    const short = size <= SHORT_TEXT ? this.#ascii(at, at + size) : undefined;
    return short ?? utf8(this.#bytes, at, at + size);
  }

  /** The text of `[at, end)`; undefined where there is more than ASCII in it. */
  #ascii(at: number, end: number): string | undefined {
    let text = '';
    for (let i = at; i < end; i++) {
      const code = this.#bytes[i]!;
      if (code > 0x7f) return undefined;
      text += String.fromCharCode(code);
    }
    return text;
  }

  /** A copy, since the hub may keep it. */
  #binary(size: number): Uint8Array {
    const at = this.#take(size);
    return Buffer.from(this.#bytes.subarray(at, at + size));
  }

  #uint(size: number): number {
    const at = this.#take(size);
    if (size === 1) return this.#bytes[at]!;
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #take(size: number): number {
    const at = this.#at;
    this.#at += size;
    return at;
  }
}

const OWN = { configurable: true, enumerable: true, writable: true } as const;

/** Rounded down, as .NET does: its last moment is still of the year 9999. */
function dateOf({ seconds, nanoseconds }: Timestamp): Date {
  const milliseconds = seconds * 1000 + Math.floor(nanoseconds / 1_000_000);
  if (nanoseconds > MAX_NANOSECONDS || Math.abs(milliseconds) > MAX_DATE_MS) {
    throw new InvalidDataException('A timestamp is beyond what a Date can hold.');
  }
  const behind = nanoseconds % 1_000_000;
  return behind === 0 ? new Date(milliseconds) : new PreciseDate(milliseconds, behind);
}
