import type { HttpAnswer } from './listener.ts';
import type { SocketHandler } from './socket.ts';

/**
 * A request for a WebSocket, which is accepted or refused at once or later. Nothing may be called on
 * it once it is decided, or its peer has gone.
 */
export interface Upgrade {
  /** Told if the peer goes before anything is decided. */
  gone: (() => void) | undefined;
  /**
   * Opens the WebSocket, in the call that brought the request; later, at the end of the turn. A peer
   * that goes before that end counts as one that was there: `handler` is told `opened`, then
   * `disconnected`.
   */
  accept(handler: SocketHandler): void;
  /** Answers that there will be no WebSocket. */
  refuse(answer: HttpAnswer): void;
}
