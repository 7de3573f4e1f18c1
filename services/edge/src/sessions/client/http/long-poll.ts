import type { Exchange, ExchangeHandler } from '../../../ports/exchange.ts';
import type { HttpAnswer } from '../../../ports/listener.ts';
import type { Socket } from '../../../ports/socket.ts';
import { SendResult } from '../../../ports/socket.ts';
import type { HttpTransportOptions } from './http-transport.ts';
import { OutboundQueue } from './outbound-queue.ts';

/** On every answer to a poll (client protocols reference, section 2.3). */
const HEADERS = {
  'cache-control': 'no-cache, no-store',
  pragma: 'no-cache',
  expires: 'Thu, 01 Jan 1970 00:00:00 GMT',
} as const;

/** How long the end of a connection waits for a poll that can be told of it. */
const LINGER_MS = 15_000;

const FINISHED: HttpAnswer = { status: 204, headers: HEADERS };
const NOTHING_YET: HttpAnswer = {
  status: 200,
  headers: { ...HEADERS, 'content-type': 'text/plain' },
};

function data(body?: Uint8Array): HttpAnswer {
  const headers = { ...HEADERS, 'content-type': 'application/octet-stream' };
  return { status: 200, headers, ...(body !== undefined && { body }) };
}

export interface LongPollOptions extends HttpTransportOptions {
  /** How long a poll may hang, in milliseconds. */
  readonly hangMs: number;
  /** How long the client may be without a poll. */
  readonly idleMs: number;
}

/**
 * The way to a client that polls: messages wait for its next request, or a request waits for
 * messages (client protocols reference, section 2.3). What the client says comes by posts.
 */
export class LongPoll implements Socket, ExchangeHandler {
  readonly #options: LongPollOptions;
  readonly #queue: OutboundQueue;
  #poll: Exchange | undefined;
  /** While a poll hangs: when it is answered empty. Else: when the client must be back with one. */
  #deadline: number;
  #scheduled = false;
  #over = false;

  /** `first`: the request that makes the connection is answered at once, and empty. */
  constructor(first: Exchange, options: LongPollOptions) {
    this.#options = options;
    this.#queue = new OutboundQueue(options.queueBytes);
    this.#deadline = options.time.now() + options.idleMs;
    first.answer(data());
  }

  /** The next poll; one that still hangs is answered with the end of polls. */
  poll(exchange: Exchange): void {
    this.#answer(FINISHED);
    this.#poll = exchange;
    exchange.handler = this;
    this.#deadline = this.#options.time.now() + this.#options.hangMs;
    this.flush();
  }

  send(message: Uint8Array): number {
    if (!this.#queue.add(message, 0)) return SendResult.Dropped;
    if (this.#poll === undefined) return SendResult.Queued;
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#options.flusher.add(this);
    }
    return SendResult.Sent;
  }

  getBufferedAmount(): number {
    return this.#queue.bytes;
  }

  /** Answers the poll that hangs with what there is, or with the end. */
  flush(): void {
    this.#scheduled = false;
    if (this.#poll === undefined) return;
    if (this.#queue.bytes > 0) {
      this.#answer(data(this.#queue.take()));
      if (!this.#over) this.#options.handler.drained();
    } else if (this.#over) {
      this.#answer(FINISHED);
      this.#options.forgotten();
    }
  }

  /** What waits still goes out with a poll. The poll after it, or the first if nothing waits, hears the end. */
  end(code: number): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.handler.disconnected(code, '');
    if (this.#poll === undefined) this.#deadline = this.#options.time.now() + LINGER_MS;
    this.flush();
  }

  /** What waits is lost, and polls find nothing. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#queue.clear();
    this.#poll?.cut();
    this.#poll = undefined;
    this.#options.handler.disconnected(1006, '');
    this.#options.forgotten();
  }

  /** The client has said that it goes, or is given up after its end. */
  leave(): void {
    this.#queue.clear();
    this.#answer(FINISHED);
    const known = !this.#over;
    this.#over = true;
    if (known) this.#options.handler.disconnected(1000, '');
    this.#options.forgotten();
  }

  /**
   * Answers a poll that has hung long enough. True when there has been none for too long.
   * `late`: how long this edge itself slept.
   */
  isIdle(now: number, late: number): boolean {
    this.#deadline += late;
    if (now < this.#deadline) return false;
    if (this.#poll === undefined) return true;
    this.#answer(NOTHING_YET);
    return false;
  }

  /** The client has given its poll up; the next one may be on its way. */
  gone(): void {
    this.#poll = undefined;
    this.#deadline = this.#options.time.now() + this.#options.idleMs;
  }

  /** Polls are answered at once as a whole. */
  drained(): void {}

  #answer(answer: HttpAnswer): void {
    const poll = this.#poll;
    if (poll === undefined) return;
    this.#poll = undefined;
    this.#deadline = this.#options.time.now() + (this.#over ? LINGER_MS : this.#options.idleMs);
    poll.answer(answer);
  }
}
