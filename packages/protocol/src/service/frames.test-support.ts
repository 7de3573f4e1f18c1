import { ProtocolError } from '../errors.ts';
import { frameBodyStart } from './byte-reader.ts';
import { decodeServiceMessage } from './decode.ts';
import type { ServiceMessage } from './message.ts';

/** Bytes from hex digits; spaces are for the eye. */
export function bytes(...parts: readonly string[]): Buffer {
  return Buffer.from(parts.join('').replaceAll(' ', ''), 'hex');
}

export function bodyOf(frame: Buffer): Buffer {
  return frame.subarray(frameBodyStart(frame, 0));
}

/** The body length that a frame's prefix says. */
export function announcedLength(frame: Uint8Array): number {
  let value = 0;
  const prefix = frame.subarray(0, frameBodyStart(frame, 0));
  for (const [at, byte] of prefix.entries()) value += (byte & 0x7f) * 0x80 ** at;
  return value;
}

/** What the frame at [start, end) says. */
export function decodeFrame(
  frame: Uint8Array,
  start = 0,
  end = frame.length,
): ServiceMessage | undefined {
  return decodeServiceMessage(frame, frameBodyStart(frame, start), end);
}

/** The ProtocolError that `read` ends with, or undefined; an error of another type gets through. */
export function protocolError(read: () => unknown): ProtocolError | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
}
