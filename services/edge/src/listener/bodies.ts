import type { HttpResponse } from 'uWebSockets.js';
import type { BodyHandler, HttpAnswer } from '../ports/listener.ts';
import { respond, UwsExchange } from './uws-exchange.ts';

/** What posts may take of an edge. */
export interface BodyLimits {
  /** One body. */
  readonly bodyBytes: number;
  /** Posts that have not been answered. */
  readonly requests: number;
}

/** What is counted of posts, for metrics. */
export interface BodyCounters {
  requestsInFlight: number;
  readonly refusals: { add(reason: 'requests' | 'request_bytes'): void };
}

/** Bytes of all bodies that may be held, in units of the largest there may be. */
const LARGEST_BODIES = 16;

const TRY_LATER: HttpAnswer = { status: 503, headers: { 'retry-after': '1' } };

/**
 * Reads the bodies of posts, within bounds for each and for all of them together. One that is
 * refused is still let come, unread, for some seconds: a client that is cut off while it sends
 * would never see why.
 */
export class Bodies {
  readonly #limits: BodyLimits;
  readonly #counters: BodyCounters;
  #heldBytes = 0;

  constructor(limits: BodyLimits, counters: BodyCounters) {
    this.#limits = limits;
    this.#counters = counters;
  }

  /** Gives the body to `handler` once it is whole; `headers` go with whatever is answered. */
  read(res: HttpResponse, headers: Readonly<Record<string, string>>, handler: BodyHandler): void {
    if (this.#isFull()) {
      this.#counters.refusals.add('requests');
      return respond(res, TRY_LATER, headers);
    }
    let chunks: Buffer[] = [];
    let length = 0;
    this.#counters.requestsInFlight++;
    const exchange = new UwsExchange(res, headers, () => {
      this.#counters.requestsInFlight--;
      this.#heldBytes -= length;
      chunks = [];
    });
    res.onData((chunk, isLast) => {
      if (!exchange.isOpen) return;
      length += chunk.byteLength;
      this.#heldBytes += chunk.byteLength;
      if (length > this.#limits.bodyBytes) return exchange.answer(this.#tooLong());
      // The chunk is taken back when this returns.
      chunks.push(Buffer.from(new Uint8Array(chunk)));
      if (isLast) handler(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), exchange);
    });
  }

  #isFull(): boolean {
    const { requests, bodyBytes } = this.#limits;
    return (
      this.#counters.requestsInFlight >= requests || this.#heldBytes > LARGEST_BODIES * bodyBytes
    );
  }

  #tooLong(): HttpAnswer {
    this.#counters.refusals.add('request_bytes');
    const body = `A post may have ${this.#limits.bodyBytes} bytes at most.`;
    return { status: 413, headers: { 'content-type': 'text/plain' }, body };
  }
}
