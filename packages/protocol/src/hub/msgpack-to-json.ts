import { ProtocolError } from '../errors.ts';
import { readTimestamp, isTimestampSize } from '../service/timestamp.ts';
import { msgpackTooDeep, msgpackValueEnd } from './msgpack-scan.ts';

const TIMESTAMP = -1;

/**
 * The MessagePack value at `start` as JSON text: binary as base64, times as ISO 8601 texts, keys as
 * texts; nil for extensions that JSON has nothing for, and for numbers that are none. Throws
 * ProtocolError for what is no whole value, and for keys that are maps or arrays: the text of such a
 * key, a text again, doubles with each level.
 */
export function messagePackToJson(bytes: Uint8Array, start: number, end: number): string {
  const after = msgpackValueEnd(bytes, start, end);
  if (after === -1) throw new ProtocolError('truncated', start, 'a value that does not end');
  if (msgpackTooDeep(bytes, start, after)) {
    throw new ProtocolError('too-deep', start, 'values nest too deeply');
  }
  return new JsonText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), start).value();
}

/** Reads one value after the other; that they are whole is known. */
class JsonText {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  value(): string {
    const tag = this.#uint(1);
    if (tag < 0x80) return String(tag);
    if (tag >= 0xe0) return String(tag - 0x100);
    if (tag < 0x90) return this.#map(tag & 0x0f);
    if (tag < 0xa0) return this.#array(tag & 0x0f);
    if (tag < 0xc0) return this.#text(tag & 0x1f);
    return this.#wide(tag);
  }

  #wide(tag: number): string {
    if (tag <= 0xc1) return 'null';
    if (tag <= 0xc3) return tag === 0xc3 ? 'true' : 'false';
    if (tag <= 0xc6)
      return JSON.stringify(this.#take(this.#uint(1 << (tag - 0xc4))).toString('base64'));
    if (tag <= 0xc9) return this.#extension(this.#uint(1 << (tag - 0xc7)));
    if (tag <= 0xcb) return this.#float(tag === 0xca ? 4 : 8);
    if (tag <= 0xd3) return this.#integer(tag);
    if (tag <= 0xd8) return this.#extension(1 << (tag - 0xd4));
    if (tag <= 0xdb) return this.#text(this.#uint(1 << (tag - 0xd9)));
    const count = this.#uint(tag % 2 === 0 ? 2 : 4);
    return tag >= 0xde ? this.#map(count) : this.#array(count);
  }

  #array(count: number): string {
    const items: string[] = [];
    for (let i = 0; i < count; i++) items.push(this.value());
    return `[${items.join(',')}]`;
  }

  #map(count: number): string {
    const members: string[] = [];
    for (let i = 0; i < count; i++) {
      const start = this.#at;
      const key = this.value();
      if (key.startsWith('{') || key.startsWith('[')) {
        throw new ProtocolError('wrong-type', start, 'a key that is a map or an array');
      }
      const name = key.startsWith('"') ? key : JSON.stringify(key);
      members.push(`${name}:${this.value()}`);
    }
    return `{${members.join(',')}}`;
  }

  #text(size: number): string {
    return JSON.stringify(this.#take(size).toString('utf8'));
  }

  #float(size: 4 | 8): string {
    const data = this.#take(size);
    return JSON.stringify(size === 4 ? data.readFloatBE() : data.readDoubleBE());
  }

  #integer(tag: number): string {
    const size = 1 << (tag & 3);
    const data = this.#take(size);
    if (size === 8) return String(tag === 0xcf ? data.readBigUInt64BE() : data.readBigInt64BE());
    return String(tag < 0xd0 ? data.readUIntBE(0, size) : data.readIntBE(0, size));
  }

  #extension(size: number): string {
    const data = this.#take(1 + size);
    if (data.readInt8() !== TIMESTAMP || !isTimestampSize(size)) return 'null';
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    const { seconds, nanoseconds } = readTimestamp(view, 1, size);
    const date = new Date(seconds * 1000 + Math.floor(nanoseconds / 1e6));
    return JSON.stringify(date);
  }

  #uint(size: number): number {
    return this.#take(size).readUIntBE(0, size);
  }

  #take(size: number): Buffer {
    const start = this.#at;
    this.#at += size;
    return this.#bytes.subarray(start, this.#at);
  }
}
