import type { BodyExchange, ExchangeHandler } from '../ports/exchange.ts';
import type { HttpAnswer } from '../ports/listener.ts';
import { readable } from './wire.test-support.ts';

/**
 * Stands in for a request at uWebSockets.js: records how it is answered, and throws for whoever
 * touches it once it is over.
 */
export class FakeExchange implements BodyExchange {
  handler: ExchangeHandler | undefined;
  over: (() => void) | undefined;
  /** The whole answer, or the head and the start of one that was begun. */
  answered: HttpAnswer | undefined;
  readonly written: string[] = [];
  /** The peer takes what is written at once. */
  takes = true;
  wasEnded = false;
  wasCut = false;
  #state: 'waiting' | 'begun' | 'over' = 'waiting';

  get isOpen(): boolean {
    return this.#state !== 'over';
  }

  get status(): number | undefined {
    return this.answered?.status;
  }

  /** The body as far as it has come; ␞ stands for the record separator. */
  get body(): string {
    const { body = '' } = this.answered ?? {};
    return readable(Buffer.from(body as string)) + this.written.join('');
  }

  answer(answer: HttpAnswer): void {
    this.#next('waiting', 'over');
    this.over?.();
    this.answered = answer;
  }

  begin(answer: HttpAnswer): void {
    this.#next('waiting', 'begun');
    this.answered = answer;
  }

  write(bytes: Uint8Array): boolean {
    this.#next('begun', 'begun');
    this.written.push(readable(bytes));
    return this.takes;
  }

  end(): void {
    this.#next('begun', 'over');
    this.over?.();
    this.wasEnded = true;
  }

  cut(): void {
    if (!this.isOpen) throw new Error('cut after its end');
    this.#state = 'over';
    this.over?.();
    this.wasCut = true;
  }

  /** The peer has taken everything. */
  drain(): void {
    this.takes = true;
    this.#told().drained();
  }

  /** The peer has gone. */
  leave(): void {
    const handler = this.#told();
    this.#state = 'over';
    this.over?.();
    handler.gone();
  }

  #next(from: 'waiting' | 'begun', to: 'begun' | 'over'): void {
    if (this.#state !== from) throw new Error(`${this.#state}, where it should be ${from}`);
    this.#state = to;
  }

  #told(): ExchangeHandler {
    if (!this.isOpen || this.handler === undefined) throw new Error('there is nobody to tell');
    return this.handler;
  }
}
