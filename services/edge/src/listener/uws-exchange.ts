import type * as Http from 'node:http';
import { createRequire } from 'node:module';
import type { HttpResponse } from 'uWebSockets.js';
import type { BodyExchange, ExchangeHandler } from '../ports/exchange.ts';
import type { HttpAnswer } from '../ports/listener.ts';

/** An import by name would load Node's `fetch` with it, for which an edge has no use. */
const { STATUS_CODES } = createRequire(import.meta.url)('node:http') as typeof Http;

type Headers = Readonly<Record<string, string>>;
export type FinishAnswer = (answer: HttpAnswer) => HttpAnswer;

/**
 * How much of a body uWebSockets.js is given at a time. What the peer has no room for it keeps, and
 * does not say how much that is. So the first piece is small: `write` answers false to it as long
 * as uWebSockets.js still keeps anything, and then it keeps little more.
 */
const FIRST_BYTES = 4 * 1024;
const PIECE_BYTES = 64 * 1024;

const NOTHING = Buffer.alloc(0);

/** An answer of uWebSockets.js, which must not be touched once it is complete or aborted. */
export class UwsExchange implements BodyExchange {
  handler: ExchangeHandler | undefined;
  over: (() => void) | undefined;
  readonly #res: HttpResponse;
  readonly #headers: Headers;
  readonly #finish: FinishAnswer;
  /** Written, and not given to the module yet. */
  #rest: Uint8Array = NOTHING;
  #open = true;

  /** `headers` go with every answer; `finish` has the last word on one that is whole. */
  constructor(res: HttpResponse, headers: Headers, finish: FinishAnswer) {
    this.#res = res;
    this.#headers = headers;
    this.#finish = finish;
  }

  /** To be called at the end of the call in which the module has brought the request. */
  keep(): void {
    if (!this.#open) return;
    this.#res.onAborted(() => {
      if (!this.#open) return;
      this.#done();
      this.handler?.gone();
    });
  }

  get isOpen(): boolean {
    return this.#open;
  }

  answer(answer: HttpAnswer): void {
    this.#done();
    respond(this.#res, this.#finish(answer), this.#headers);
  }

  begin(answer: HttpAnswer): void {
    this.#res.onWritable(() => {
      if (this.#open) this.#goOn();
      return true;
    });
    this.#res.cork(() => {
      writeHead(this.#res, answer, this.#headers);
      this.#res.write(answer.body ?? '');
    });
  }

  write(bytes: Uint8Array): boolean {
    const waits = this.#rest.length > 0;
    this.#rest = waits ? Buffer.concat([this.#rest, bytes]) : bytes;
    return !waits && this.#push();
  }

  end(): void {
    this.#done();
    this.#res.cork(() => void this.#res.end(this.#rest));
  }

  cut(): void {
    this.#done();
    this.#res.close();
  }

  /** The peer has made room. */
  #goOn(): void {
    // With an `onWritable` handler set, uWebSockets.js sends what it keeps only when corked.
    this.#res.cork(() => {});
    // `onWritable` also comes after a `write` that answered true: a small piece is taken, then sent.
    if (this.#push()) this.handler?.drained();
  }

  /** Writes what waits, in pieces; false at the first that the peer has no room for. */
  #push(): boolean {
    let taken = true;
    for (let size = FIRST_BYTES; taken && this.#rest.length > 0; size = PIECE_BYTES) {
      taken = this.#give(this.#rest.subarray(0, size));
      this.#rest = this.#rest.subarray(size);
    }
    return taken;
  }

  #give(piece: Uint8Array): boolean {
    let taken = true;
    this.#res.cork(() => {
      taken = this.#res.write(piece);
    });
    return taken;
  }

  #done(): void {
    this.#open = false;
    this.over?.();
  }
}

/** Answers as a whole. */
export function respond(res: HttpResponse, answer: HttpAnswer, headers: Headers = {}): void {
  res.cork(() => {
    writeHead(res, answer, headers);
    // A 204 has no body, not even one of no bytes.
    if (answer.status === 204) res.endWithoutBody();
    else res.end(answer.body ?? '', answer.hangUp);
  });
}

function writeHead(res: HttpResponse, { status, headers: own }: HttpAnswer, all: Headers): void {
  res.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`);
  for (const headers of [own, all]) {
    for (const name in headers) res.writeHeader(name, headers[name]!);
  }
}
