import type { ReadPiece } from '../bodies.ts';
import type { BodyExchange, ExchangeHandler } from '../ports/exchange.ts';
import type { HttpAnswer } from '../ports/listener.ts';
import type { RelayFrame } from './relay-frames.ts';
import type { RelayLine } from './relay-line.ts';
import { RelayWindow, Taken } from './relay-window.ts';

const NOTHING = Buffer.alloc(0);

type Head = Pick<RelayFrame & { kind: 'head' }, 'status' | 'headers'>;

/** The answer to a request that has landed at another edge: what doors here say of it goes there. */
export class RelayedExchange implements BodyExchange {
  handler: ExchangeHandler | undefined;
  over: (() => void) | undefined;
  /** What takes the request's body, if it has one that is read. */
  body: ReadPiece | undefined;
  readonly #relay: number;
  readonly #line: RelayLine;
  readonly #forget: () => void;
  readonly #window: RelayWindow;
  readonly #taken: Taken;
  /** Until it has been said. */
  #head: Head | undefined;
  #isOpen = true;

  /** `forget`: nothing more is said of it. */
  constructor(relay: number, line: RelayLine, forget: () => void) {
    this.#relay = relay;
    this.#line = line;
    this.#forget = forget;
    this.#window = new RelayWindow(
      line,
      (bytes, isLast) => this.#say(bytes, isLast),
      () => {
        if (this.#isOpen) this.handler?.drained();
      },
    );
    this.#taken = new Taken((bytes) => line.say({ kind: 'taken', relay, of: 'body', bytes }));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  answer(answer: HttpAnswer): void {
    this.#done();
    this.#begin(answer, true);
  }

  begin(answer: HttpAnswer): void {
    this.#begin(answer, false);
  }

  write(bytes: Uint8Array): boolean {
    return this.#window.write(bytes, false);
  }

  end(): void {
    this.#done();
    this.#window.write(NOTHING, true);
  }

  cut(): void {
    this.#done();
    this.#line.say({ kind: 'cut', relay: this.#relay });
    this.#leave();
  }

  /** A piece of the request's body has come. */
  readBody(bytes: Uint8Array, isLast: boolean): void {
    this.body?.(bytes, isLast);
    if (!isLast) this.#taken.add(bytes.length);
  }

  /** The peer has taken so much of the answer. */
  taken(bytes: number): void {
    this.#window.taken(bytes);
  }

  /** The peer has gone, or the edge where it is. */
  gone(): void {
    this.#leave();
    if (!this.#isOpen) return;
    this.#done();
    this.handler?.gone();
  }

  /** `why` is for the log of this edge, and whether to hang up is for the other one to know. */
  #begin({ status, headers = {}, body = '' }: HttpAnswer, isLast: boolean): void {
    this.#head = { status, headers };
    this.#window.write(typeof body === 'string' ? Buffer.from(body) : body, isLast);
  }

  #say(bytes: Uint8Array, isLast: boolean): void {
    const relay = this.#relay;
    const head = this.#head;
    this.#head = undefined;
    if (head !== undefined) this.#line.say({ kind: 'head', relay, ...head, bytes, isLast });
    else this.#line.say({ kind: 'part', relay, bytes, isLast });
    if (isLast) this.#forget();
  }

  #leave(): void {
    this.#window.close();
    this.#forget();
  }

  #done(): void {
    this.#isOpen = false;
    this.over?.();
  }
}
