import { STATUS_CODES } from 'node:http';
import type { HttpResponse } from 'uWebSockets.js';
import type { Exchange, ExchangeHandler } from '../ports/exchange.ts';
import type { HttpAnswer } from '../ports/listener.ts';

type Headers = Readonly<Record<string, string>>;

/** An answer of uWebSockets.js, which must not be touched once it is complete or aborted. */
export class UwsExchange implements Exchange {
  handler: ExchangeHandler | undefined;
  readonly #res: HttpResponse;
  readonly #headers: Headers;
  readonly #over: (() => void) | undefined;
  #open = true;

  /** `headers` go with every answer; `over` is told when there is, or will be, none. */
  constructor(res: HttpResponse, headers: Headers, over?: () => void) {
    this.#res = res;
    this.#headers = headers;
    this.#over = over;
    res.onAborted(() => {
      if (!this.#open) return;
      this.#finish();
      this.handler?.gone();
    });
  }

  get isOpen(): boolean {
    return this.#open;
  }

  answer(answer: HttpAnswer): void {
    this.#finish();
    respond(this.#res, answer, this.#headers);
  }

  begin(answer: HttpAnswer): void {
    this.#res.onWritable(() => {
      // Told of every emptied buffer, also of one that nobody was told was full.
      if (this.#open) this.handler?.drained();
      return true;
    });
    this.#res.cork(() => {
      writeHead(this.#res, answer, this.#headers);
      this.#res.write(answer.body ?? '');
    });
  }

  write(bytes: Uint8Array): boolean {
    let taken = true;
    this.#res.cork(() => {
      taken = this.#res.write(bytes);
    });
    return taken;
  }

  end(): void {
    this.#finish();
    this.#res.cork(() => void this.#res.end());
  }

  cut(): void {
    this.#finish();
    this.#res.close();
  }

  #finish(): void {
    this.#open = false;
    this.#over?.();
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
