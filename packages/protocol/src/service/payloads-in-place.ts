import { ByteReader } from './byte-reader.ts';
import type { Payloads } from './message.ts';

/**
 * Payloads where they lie in a message, which is lent as long as that is. Each is looked for when it is
 * asked for, since most are for protocols that nobody there speaks, or for clients of other edges.
 */
export class PayloadsInPlace implements Payloads {
  readonly size: number;
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  /** The one that was found first: mostly nobody asks for another. */
  #name: string | undefined;
  #payload: Uint8Array | undefined;
  /** Others that were found, so that who asks again gets the same object. */
  #others: Map<string, Uint8Array> | undefined;

  private constructor(size: number, bytes: Uint8Array, start: number, end: number) {
    this.size = size;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  /** Passes over the map of payloads that `reader` is at. Throws ProtocolError where it is no such map. */
  static read(reader: ByteReader): PayloadsInPlace {
    const size = reader.mapHeader();
    const start = reader.offset;
    for (let n = 0; n < size; n++) {
      reader.skipText();
      reader.skipBinary();
    }
    return new PayloadsInPlace(size, reader.bytes, start, reader.offset);
  }

  get(protocol: string): Uint8Array | undefined {
    if (this.#name === protocol) return this.#payload;
    return this.#others?.get(protocol) ?? this.#find(protocol);
  }

  *[Symbol.iterator](): Iterator<readonly [string, Uint8Array], void> {
    const reader = this.#reader();
    for (let n = 0; n < this.size; n++) yield [reader.text(), reader.binary()];
  }

  #find(protocol: string): Uint8Array | undefined {
    const reader = this.#reader();
    let payload: Uint8Array | undefined;
    // The last of that name, as in a map that is filled in this order.
    for (let n = 0; n < this.size; n++) {
      if (reader.isText(protocol)) payload = reader.binary();
      else reader.skipBinary();
    }
    if (payload === undefined) return undefined;
    if (this.#name === undefined) {
      this.#name = protocol;
      this.#payload = payload;
    } else {
      (this.#others ??= new Map()).set(protocol, payload);
    }
    return payload;
  }

  #reader(): ByteReader {
    return new ByteReader(this.#bytes, this.#start, this.#end);
  }
}
