/**
 * One WebSocket, as sessions see it; uWebSockets.js's own object fits. Nothing may be called on it
 * after its session has been told `disconnected` or has called `end` or `close`.
 */
export interface Socket {
  /** Sends one message, copying what it must keep: see `SendResult`. */
  send(message: Uint8Array, binary: boolean): number;
  /** Bytes that the peer has not taken yet. */
  getBufferedAmount(): number;
  /** Closes after what is queued has gone out. Tells the session `disconnected` before it returns. */
  end(code: number, reason: string): void;
  /** Cuts the connection. Tells the session `disconnected` before it returns. */
  close(): void;
}

export const SendResult = {
  /** Taken, and kept until the peer reads on: `drained` will follow. */
  Queued: 0,
  Sent: 1,
  /** Not taken, since more was queued than the socket's limit. */
  Dropped: 2,
} as const;

/** In the place of a socket whose peer has gone: what is sent goes nowhere. */
export const GONE_SOCKET: Socket = {
  send: () => SendResult.Sent,
  getBufferedAmount: () => 0,
  end() {},
  close() {},
};

/** What a session must answer to the listener that owns its socket. */
export interface SocketHandler {
  opened(socket: Socket): void;
  /** `bytes` are lent for the call; what is kept must be copied. */
  received(bytes: Buffer): void;
  /** What `send` has answered `Sent` to is kept after all, as if it had answered `Queued`. */
  queued?(): void;
  drained(): void;
  /**
   * The last call. `code` is the WebSocket close code, 1006 when there was none; `why` is what the
   * peer gave as its reason, or for 1006 what the listener found wrong.
   */
  disconnected(code: number, why: string): void;
}
