import type { Exchange } from '../../ports/exchange.ts';
import type { HttpAnswer, HttpRequest } from '../../ports/listener.ts';
import type { LabelCounts } from '../counters.ts';
import type { RestError } from './rest-error.ts';
import type { Match, Route } from './routes.ts';

const JSON_TYPE = { 'content-type': 'application/json' } as const;
const TEXT_TYPE = { 'content-type': 'text/plain' } as const;
/** Text from elsewhere that may come back in a header. */
export const VISIBLE = /^[\x21-\x7e]{1,128}$/;

type Headers = Readonly<Record<string, string>>;

/**
 * One call, and its answer: statuses and bodies are those of the route, errors in the form of the
 * version that is called (REST reference, section 1.7). It is answered once, unless its caller goes.
 */
export class RestCall {
  readonly request: HttpRequest;
  readonly route: Route;
  /** The parameters of the path, still percent-encoded. */
  readonly names: Match['names'];
  /** In the answer, and in the log. */
  readonly requestId: string;
  readonly #exchange: Exchange;
  readonly #counts: LabelCounts;
  #isOpen = true;
  #abandoned: (() => void) | undefined;

  /** `counts`: of calls, keyed `operation|status`. */
  constructor(
    request: HttpRequest,
    exchange: Exchange,
    { route, names }: Match,
    requestId: string,
    counts: LabelCounts,
  ) {
    this.request = request;
    this.route = route;
    this.names = names;
    this.requestId = requestId;
    this.#exchange = exchange;
    this.#counts = counts;
    exchange.handler = {
      gone: () => {
        this.#isOpen = false;
        this.#abandoned?.();
      },
      drained() {},
    };
  }

  /** Somebody waits for the answer. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Says what to do when the caller goes before it is answered. */
  set abandoned(run: () => void) {
    this.#abandoned = run;
  }

  /** As the route has it, without a word of its own. */
  succeed(): void {
    const { success, style, operation } = this.route;
    const isResponse = operation.answer === 'response' && style === 'dated';
    this.#answer(
      isResponse ? { status: success, headers: JSON_TYPE, body: '{}' } : { status: success },
    );
  }

  /** With a JSON text. */
  succeedWith(json: string, headers: Headers = {}): void {
    this.#answer({ status: this.route.success, headers: { ...headers, ...JSON_TYPE }, body: json });
  }

  /** With bytes that are the caller's to read. */
  succeedWithBytes(body: Uint8Array, headers: Headers): void {
    const type = { 'content-type': 'application/octet-stream' };
    this.#answer({ status: this.route.success, headers: { ...headers, ...type }, body });
  }

  fail(error: RestError): void {
    this.#answer(this.failure(error));
  }

  refuse(answer: HttpAnswer): void {
    this.#answer(answer);
  }

  /** What `fail` answers, for who answers in the place of this call. */
  failure({ status, code, message, headers }: RestError): HttpAnswer {
    const isDated = this.route.style === 'dated';
    const type = isDated ? JSON_TYPE : TEXT_TYPE;
    const body = isDated ? JSON.stringify({ code, message }) : message;
    return { status, headers: { ...headers, ...type, 'x-ms-error-code': code }, body };
  }

  /** Adds what every answer has, and counts it. */
  finished(answer: HttpAnswer): HttpAnswer {
    this.#isOpen = false;
    this.#counts.add(`${this.route.id}|${Math.floor(answer.status / 100)}xx`);
    const { body, ...head } = answer;
    const headers = { ...answer.headers, ...requestIds(this.request, this.requestId) };
    const hasBody = body !== undefined && this.request.method !== 'HEAD';
    return hasBody ? { ...head, headers, body } : { ...head, headers };
  }

  #answer(answer: HttpAnswer): void {
    if (this.#isOpen) this.#exchange.answer(this.finished(answer));
  }
}

/** The ids by which operators and callers find a call. */
export function requestIds(request: HttpRequest, requestId: string): Headers {
  const given = request.headers.get('x-ms-client-request-id');
  const echo = given !== undefined && VISIBLE.test(given);
  return {
    'x-ms-request-id': requestId,
    ...(echo ? { 'x-ms-client-request-id': given } : {}),
  };
}
