import type { ServiceMessage } from '@trunkline/protocol';
import {
  decodeServiceMessage,
  frameBodyStart,
  ProtocolError,
  salvageServiceMessage,
} from '@trunkline/protocol';

/** The type and those fields of a message that could be read, though it could not. */
export type Remains = Readonly<Record<string, unknown>>;

/**
 * The message of a frame, `bytes[start, end)`; undefined for one of a kind that is not known, and for
 * one that cannot be read, which `unreadable` is told of: the frames around it are good, and a layout
 * that is new must not end a connection with all its clients. Without `unreadable` it throws
 * ProtocolError.
 */
export function readFrame(
  bytes: Uint8Array,
  start: number,
  end: number,
  unreadable?: (error: ProtocolError, remains: Remains) => void,
): ServiceMessage | undefined {
  const body = frameBodyStart(bytes, start);
  try {
    return decodeServiceMessage(bytes, body, end);
  } catch (error) {
    if (unreadable === undefined || !(error instanceof ProtocolError)) throw error;
    unreadable(error, salvageServiceMessage(bytes, body, end));
    return undefined;
  }
}
