import type { ServiceMessage } from '../message.ts';

/** One message and the bytes that stand for it on the wire. */
export interface Vector {
  /** Where it comes from in the service protocol reference (row of section 16), and what it is. */
  readonly name: string;
  /** The whole frame in hex, `length | body`; spaces are for the eye. */
  readonly hex: string;
  readonly message: ServiceMessage;
}

/** The bytes of a vector, length prefix included. */
export function vectorBytes(vector: Vector): Buffer {
  return hex(vector.hex.replaceAll(/[ |]/g, ''));
}

export function hex(digits: string): Buffer {
  return Buffer.from(digits, 'hex');
}

/** ASCII text as hex digits, for what is too long to read as such. */
export function ascii(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex');
}

/** A tracing id: eight bytes, big-endian. */
export function tracing(id: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(4, id);
  return bytes;
}

/** Payloads of a message that goes out in both hub protocols. */
export function payloads(json: string, messagepack: string): ReadonlyMap<string, Uint8Array> {
  return new Map([
    ['json', hex(json)],
    ['messagepack', hex(messagepack)],
  ]);
}
