import type { HttpAnswer } from './listener.ts';

/** Whoever answers an exchange. */
export interface ExchangeHandler {
  /** The peer went before the answer was complete, or has been given up. The last call. */
  gone(): void;
  /** The peer has taken what an earlier `write` could not hand over, or all but a last piece. */
  drained(): void;
}

/**
 * The answering half of an HTTP request, for answers that come later or piece by piece. Nothing may
 * be called on it once it is over: by `answer`, `end` or `cut`, or because the peer has gone.
 */
export interface Exchange {
  /** Who is told from now on; to be set before anything else happens. */
  handler: ExchangeHandler | undefined;
  /** The whole answer. */
  answer(answer: HttpAnswer): void;
  /** The head of an answer whose body goes on with `write`, and the start of that body. */
  begin(answer: HttpAnswer): void;
  /**
   * More of the body; the bytes are the exchange's from then on. False while the peer has not taken
   * all of it: `drained` follows.
   */
  write(bytes: Uint8Array): boolean;
  /** Ends an answer that was begun. */
  end(): void;
  /** Cuts the connection; the handler is not told. */
  cut(): void;
}

/** An exchange that whoever reads the body of its request looks after, too. */
export interface BodyExchange extends Exchange {
  /** It is not over yet. */
  readonly isOpen: boolean;
  /** Called when the answer is complete, or the peer has gone. */
  over: (() => void) | undefined;
}
