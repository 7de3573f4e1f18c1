/** What was wrong with bytes from outside, for logs, metrics and close reasons. */
export type ProtocolErrorCode =
  | 'truncated' // the bytes end before the value does
  | 'oversized' // an announced or accumulated length is over its limit
  | 'bad-length' // a length prefix that no length can have
  | 'wrong-type' // another type of value than the layout asks for
  | 'bad-text' // text that is not UTF-8 or not JSON
  | 'too-deep'; // nesting over the limit

/** Bytes that do not follow a wire format. `offset` counts bytes from the start of what was given. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ProtocolErrorCode;
  readonly offset: number;

  constructor(code: ProtocolErrorCode, offset: number, message: string) {
    super(`${message} (at byte ${offset})`);
    this.code = code;
    this.offset = offset;
  }
}
