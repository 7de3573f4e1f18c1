/** Hub messages as data (client protocols reference, section 3.3). */
export type HubMessage =
  | Invocation
  | StreamItem
  | Completion
  | { readonly type: 5; readonly invocationId: string }
  | { readonly type: 6 }
  | { readonly type: 7; readonly error?: string; readonly allowReconnect?: boolean };

/** Type 4 wants a stream. Without an id nobody waits for an answer. */
export interface Invocation {
  readonly type: 1 | 4;
  readonly invocationId?: string;
  readonly target: string;
  readonly arguments: readonly unknown[];
  readonly streamIds?: readonly string[];
}

export interface StreamItem {
  readonly type: 2;
  readonly invocationId: string;
  readonly item: unknown;
}

/** A result, an error, or neither: the end of a stream. */
export interface Completion {
  readonly type: 3;
  readonly invocationId: string;
  readonly result?: unknown;
  readonly error?: string;
}

/** How a client and its hub write hub messages, framing included. */
export interface HubProtocol {
  readonly name: string;
  readonly binary: boolean;
  encode(message: HubMessage): Buffer;
  /**
   * Reads the whole record `bytes[start, end)`; undefined for a type that is not known. Throws
   * DotnetException InvalidDataException.
   */
  decode(bytes: Uint8Array, start: number, end: number): HubMessage | undefined;
}
