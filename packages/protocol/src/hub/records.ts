import { ProtocolError } from '../errors.ts';
import { RECORD_SEPARATOR } from './handshake.ts';

/**
 * Where hub messages end in a byte stream (client protocols reference, section 3.2). A record is
 * one hub message with its framing: text and RS, or VarInt length and MessagePack array. `limit` is
 * the most bytes a record may have, framing included.
 */

const PREFIX_MAX_BYTES = 5;

/** The index just after the text record that starts at `start`, or -1 while its RS is missing. */
export function textRecordEnd(bytes: Uint8Array, start: number): number {
  const separator = bytes.indexOf(RECORD_SEPARATOR, start);
  return separator === -1 ? -1 : separator + 1;
}

/**
 * The index just after the binary record that starts at `start`, or -1 while bytes are missing.
 * Throws ProtocolError `oversized` as soon as the announced length passes `limit`, and `bad-length`
 * for a prefix of over 5 bytes or 2 GB.
 */
export function binaryRecordEnd(bytes: Uint8Array, start: number, limit: number): number {
  const length = binaryRecordLength(bytes, start, bytes.length, limit);
  return length === -1 || length > bytes.length - start ? -1 : start + length;
}

/** `textRecordEnd` (held to `limit` as well) or `binaryRecordEnd`. */
export function recordEnd(
  binary: boolean,
  bytes: Uint8Array,
  start: number,
  limit: number,
): number {
  if (binary) return binaryRecordEnd(bytes, start, limit);
  const end = textRecordEnd(bytes, start);
  const least = (end === -1 ? bytes.length + 1 : end) - start;
  if (least > limit) throw oversized(limit, start);
  return end;
}

/** The whole length that the prefix in `bytes[start, end)` announces, or -1 while it is cut off. */
export function binaryRecordLength(
  bytes: Uint8Array,
  start: number,
  end: number,
  limit: number,
): number {
  let body = 0;
  for (let size = 1; start + size <= end; size++) {
    const byte = bytes[start + size - 1] as number;
    if (size === PREFIX_MAX_BYTES && byte > 7) {
      throw new ProtocolError('bad-length', start, 'a length prefix over 2 GB');
    }
    body |= (byte & 0x7f) << (7 * (size - 1));
    if (byte >= 0x80) continue;
    if (size + body > limit) throw oversized(limit, start);
    return size + body;
  }
  return -1;
}

export function oversized(limit: number, offset: number): ProtocolError {
  return new ProtocolError('oversized', offset, `a message is longer than ${limit} bytes`);
}
