import type { InvalidDataException } from '../errors.ts';
import type { HubProtocolName } from '../options.ts';

/** A message whose framing is right, of which a value may be none that JavaScript has. */
interface WithValues {
  /** Why its values cannot be read; what waits for them fails, and nothing else. */
  readonly fault: InvalidDataException | undefined;
}

/** A call (type 1) or a call for a stream (type 4). */
export interface InvocationMessage extends WithValues {
  readonly type: 1 | 4;
  /** Absent: nobody waits for an answer, and none may be sent. */
  readonly invocationId: string | undefined;
  readonly target: string;
  readonly args: unknown[];
  readonly streamIds: readonly string[];
  /** What stands where headers belong, unchecked; .NET clients put their trace context there. */
  readonly headers: unknown;
}

export interface StreamItemMessage extends WithValues {
  readonly type: 2;
  readonly invocationId: string;
  readonly item: unknown;
}

export interface CompletionMessage extends WithValues {
  readonly type: 3;
  readonly invocationId: string;
  readonly error: string | undefined;
  readonly result: unknown;
}

export interface CancelMessage {
  readonly type: 5;
  readonly invocationId: string;
}

export interface PingMessage {
  readonly type: 6;
}

export interface CloseMessage {
  readonly type: 7;
  readonly error: string | undefined;
}

/** What a client may send after its handshake (client protocols reference, section 3.3). */
export type HubMessage =
  | InvocationMessage
  | StreamItemMessage
  | CompletionMessage
  | CancelMessage
  | PingMessage
  | CloseMessage;

/** Reads and writes the hub messages of one hub protocol, framing included. */
export interface HubProtocol {
  readonly name: HubProtocolName;
  readonly binary: boolean;
  /**
   * Reads the whole record `bytes[start, end)`. Undefined for a type that clients do not send or
   * that nobody knows yet. Throws InvalidDataException for what is no hub message.
   */
  parse(bytes: Uint8Array, start: number, end: number): HubMessage | undefined;
  /** Throws what the serializer throws, for values that the protocol cannot carry. */
  invocation(
    target: string,
    args: readonly unknown[],
    invocationId?: string,
    headers?: Readonly<Record<string, string>>,
  ): Uint8Array;
  streamItem(invocationId: string, item: unknown): Uint8Array;
  /** The answer to a call; what has no form travels as null, since a call always has a result. */
  result(invocationId: string, value: unknown): Uint8Array;
  error(invocationId: string, text: string): Uint8Array;
  /** The good end of a stream. */
  end(invocationId: string): Uint8Array;
}
