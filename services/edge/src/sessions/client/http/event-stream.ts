import type { Exchange, ExchangeHandler } from '../../../ports/exchange.ts';
import type { Socket } from '../../../ports/socket.ts';
import { SendResult } from '../../../ports/socket.ts';
import type { HttpTransportOptions } from './http-transport.ts';
import { OutboundQueue } from './outbound-queue.ts';

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache,no-store',
  pragma: 'no-cache',
  'content-encoding': 'identity',
  // nginx collects an answer before it passes it on, unless told so.
  'x-accel-buffering': 'no',
} as const;

/** A comment: clients take the connection for open when the first bytes are there. */
const FIRST_BYTES = ':\r\n';

const NORMAL = 1000;

/**
 * The way to a client over server-sent events: one answer that goes on until the connection ends
 * (client protocols reference, section 2.2). What the client says comes by posts.
 */
export class EventStream implements Socket, ExchangeHandler {
  readonly #exchange: Exchange;
  readonly #options: HttpTransportOptions;
  readonly #queue: OutboundQueue;
  #scheduled = false;
  /** Bytes the exchange has, which the peer has not taken yet. */
  #inFlight = 0;
  #over = false;

  constructor(exchange: Exchange, options: HttpTransportOptions) {
    this.#exchange = exchange;
    this.#options = options;
    this.#queue = new OutboundQueue(options.queueBytes);
    exchange.handler = this;
    exchange.begin({ status: 200, headers: HEADERS, body: FIRST_BYTES });
  }

  send(message: Uint8Array): number {
    if (!this.#queue.add(message, this.#inFlight)) return SendResult.Dropped;
    if (this.#inFlight > 0) return SendResult.Queued;
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#options.flusher.add(this);
    }
    return SendResult.Sent;
  }

  getBufferedAmount(): number {
    return this.#queue.bytes + this.#inFlight;
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#over || this.#inFlight > 0) return;
    this.#goOn();
  }

  end(code: number): void {
    if (this.#over) return;
    // What is queued goes along, however much the peer has not taken yet: this is the last write.
    this.#write();
    this.#exchange.end();
    this.#finish(code);
  }

  close(): void {
    if (this.#over) return;
    this.#exchange.cut();
    this.#finish(1006);
  }

  drained(): void {
    this.#inFlight = 0;
    this.#goOn();
    this.#options.handler.drained();
  }

  /** Clients end an event stream by closing it, so its end counts as normal even if it is a loss. */
  gone(): void {
    this.#finish(NORMAL);
  }

  /** What is scheduled counts as sent, until it turns out here that the peer does not take it. */
  #goOn(): void {
    this.#write();
    if (this.#inFlight > 0) this.#options.handler.queued?.();
  }

  #write(): void {
    if (this.#queue.bytes === 0) return;
    const event = eventOf(this.#queue.take());
    if (!this.#exchange.write(event)) this.#inFlight = event.length;
  }

  #finish(code: number): void {
    this.#over = true;
    this.#options.forgotten();
    this.#options.handler.disconnected(code, '');
  }
}

const LF = 0x0a;
const CR = 0x0d;
const DATA = Buffer.from('data: ');
const LINE_END = Buffer.from('\r\n');
const EVENT_END = Buffer.from('\r\n\r\n');

/**
 * One unnamed event, of a line for each line of `payload`, however those end: readers take a CR on
 * its own for an end too. Hub messages in JSON have but one, unless an app server indents them.
 */
export function eventOf(payload: Uint8Array): Buffer {
  if (!payload.includes(LF) && !payload.includes(CR)) {
    return Buffer.concat([DATA, payload, EVENT_END]);
  }
  const parts: Uint8Array[] = [];
  for (let start = 0; start <= payload.length;) {
    let end = start;
    while (end < payload.length && payload[end] !== LF && payload[end] !== CR) end++;
    parts.push(DATA, payload.subarray(start, end), LINE_END);
    start = end + (payload[end] === CR && payload[end + 1] === LF ? 2 : 1);
  }
  return Buffer.concat([...parts, LINE_END]);
}
