import type { Exchange, ExchangeHandler } from '../ports/exchange.ts';
import type { HttpAnswer } from '../ports/listener.ts';
import { GONE } from '../sessions/client/answers.ts';
import type { RelayKind, RelayOutcome } from './cluster-stats.ts';
import type { RelayFrame } from './relay-frames.ts';
import type { RelayLine } from './relay-line.ts';
import { RelayWindow, Taken } from './relay-window.ts';

const TIMED_OUT: HttpAnswer = { status: 504 };

/** A request, and the edge that answers it. */
export interface RelayOptions {
  /** Its number. */
  readonly relay: number;
  readonly kind: RelayKind;
  readonly edgeId: string;
  /** Whose share it counts against. */
  readonly owner: string;
  readonly line: RelayLine;
  /** How long the other edge may take until the answer begins, in milliseconds. */
  readonly waitMs: number;
  readonly over: (relay: Relay, outcome: RelayOutcome) => void;
}

/** A request that has landed here and that another edge answers. */
export class Relay implements ExchangeHandler {
  readonly kind: RelayKind;
  readonly edgeId: string;
  readonly owner: string;
  readonly relay: number;
  readonly #options: RelayOptions;
  readonly #exchange: Exchange;
  readonly #body: RelayWindow;
  readonly #taken: Taken;
  /** By when the answer has to begin, or its body to go on. */
  #deadline: number;
  #hasBegun = false;
  #isOver = false;
  /** Of the answer: given to the exchange, and not taken by the peer. */
  #untaken = 0;

  constructor(exchange: Exchange, now: number, options: RelayOptions) {
    const { relay, line } = options;
    this.kind = options.kind;
    this.edgeId = options.edgeId;
    this.owner = options.owner;
    this.relay = relay;
    this.#options = options;
    this.#exchange = exchange;
    this.#deadline = now + options.waitMs;
    const sayBody = (bytes: Uint8Array, isLast: boolean): void =>
      line.say({ kind: 'body', relay, bytes, isLast });
    this.#body = new RelayWindow(line, sayBody, () => {});
    this.#taken = new Taken((bytes) => line.say({ kind: 'taken', relay, of: 'answer', bytes }));
    exchange.handler = this;
  }

  /** A piece of its body, see `PassedPost`. */
  pass(piece: Uint8Array, isLast: boolean, now: number, passed: () => void): void {
    this.#deadline = now + this.#options.waitMs;
    this.#body.write(piece, isLast, passed);
  }

  /** The other edge has taken so much of its body. */
  bodyTaken(bytes: number, now: number): void {
    this.#deadline = now + this.#options.waitMs;
    this.#body.taken(bytes);
  }

  /** The answer begins, or is there. */
  head({ status, headers, bytes, isLast }: RelayFrame & { kind: 'head' }): void {
    if (this.#hasBegun) return;
    const answer = { status, headers, ...(bytes.length > 0 && { body: Buffer.from(bytes) }) };
    if (isLast) return this.#answer(answer, 'answered');
    this.#hasBegun = true;
    this.#exchange.begin(answer);
    this.#taken.add(bytes.length);
  }

  /** The answer goes on. */
  part(bytes: Uint8Array, isLast: boolean): void {
    if (!this.#hasBegun) return;
    if (bytes.length > 0) this.#write(Buffer.from(bytes));
    if (!isLast) return;
    this.#end('answered');
    this.#exchange.end();
  }

  /** The other edge cuts the peer off. */
  cut(): void {
    this.#end('cut');
    this.#exchange.cut();
  }

  /** The other edge is gone, or something that either has said of it may be lost: it does not go on with a hole. */
  lost(): void {
    if (!this.#hasBegun) return this.#answer(GONE, 'lost');
    this.#end('lost');
    this.#exchange.cut();
  }

  /** Others need the room that it takes. */
  evict(answer: HttpAnswer): void {
    this.#tellGone();
    if (!this.#hasBegun) return this.#answer(answer, 'refused');
    this.#end('refused');
    this.#exchange.cut();
  }

  /** `late`: how long this edge itself slept, in which it heard of no answer. */
  expire(now: number, late: number): void {
    this.#deadline += late;
    if (this.#hasBegun || now < this.#deadline) return;
    this.#tellGone();
    this.#answer(TIMED_OUT, 'timed_out');
  }

  gone(): void {
    this.#tellGone();
    this.#end('gone');
  }

  drained(): void {
    const taken = this.#untaken;
    this.#untaken = 0;
    if (!this.#isOver) this.#taken.add(taken);
  }

  #write(bytes: Buffer): void {
    if (this.#exchange.write(bytes)) this.#taken.add(bytes.length);
    else this.#untaken += bytes.length;
  }

  #tellGone(): void {
    this.#options.line.say({ kind: 'gone', relay: this.relay });
  }

  #answer(answer: HttpAnswer, outcome: RelayOutcome): void {
    this.#end(outcome);
    this.#exchange.answer(answer);
  }

  #end(outcome: RelayOutcome): void {
    this.#isOver = true;
    this.#body.close();
    this.#options.over(this, outcome);
  }
}
