import { mintRestToken } from '@trunkline/tokens';

import type { Clock } from '../clock.ts';
import { deferred } from '../deferred.ts';
import { errorMessage, TrunklineError } from '../errors.ts';
import { SERVER_ID, serviceHeaders } from '../trunk/identity.ts';
import type { Service } from '../trunk/service.ts';
import { refusal, retryDelay } from './outcomes.ts';
import type { AbsentCode, RestApi } from './rest-api.ts';

/** Serves every call that this package makes (REST reference, section 1.1). */
const API_VERSION = '2024-12-01';

/** A path below `/api/`, as `path` makes it, and what it was made of. */
export type RestPath<T extends keyof RestApi = keyof RestApi> = string & { readonly of?: T };

/** One call of the data-plane REST API. */
export interface RestCall {
  readonly method: string;
  readonly path: string;
  /** Beside `api-version`; a name may repeat. */
  readonly query?: readonly (readonly [name: string, value: string])[];
  /**
   * The JSON text of a message to clients. With one, a call is not made twice where it may have been
   * carried out (REST reference, section 11, trap 31).
   */
  readonly message?: string;
  /** The `x-ms-error-code` with which a 404 is an answer, and no error. */
  readonly absent?: AbsentCode;
  /** Instead of the client's own. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A call that the service has, and query parameters that it reads. */
export interface RestCallOf<T extends keyof RestApi, M extends keyof RestApi[T]> extends RestCall {
  readonly method: M & string;
  readonly path: RestPath<T>;
  readonly query?: readonly (readonly [name: RestApi[T][M] & string, value: string])[];
}

export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export interface RestClientOptions {
  readonly service: Service;
  /** Milliseconds that a call may take, with whatever is tried again. */
  readonly timeout: number;
  readonly clock: Clock;
  /** Gives numbers from 0 up to 1. */
  readonly random?: () => number;
}

/** Makes REST calls: tokens, deadlines, and second tries of what is throttled or unavailable. */
export class RestClient {
  readonly #options: RestClientOptions;

  constructor(options: RestClientOptions) {
    this.#options = options;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /**
   * The service's 2xx; undefined for the 404 that `absent` names. Rejects with TrunklineError
   * `unauthorized` or `refused` at once, and with `throttled` or `unavailable` when that has not
   * changed in time.
   */
  async call<T extends keyof RestApi, M extends keyof RestApi[T]>(
    call: RestCallOf<T, M>,
  ): Promise<RestAnswer | undefined> {
    const { clock, timeout, random = Math.random } = this.#options;
    const deadline = clock.now() + (call.timeout ?? timeout);
    for (let tries = 1; ; tries++) {
      const outcome = await this.once(call, deadline - clock.now());
      if (!(outcome instanceof Error)) {
        if (outcome.status < 300) return outcome;
        if (outcome.status === 404 && saysAbsent(outcome, call)) return undefined;
      }
      const delay = retryDelay(call, outcome, tries, random);
      if (delay === undefined || clock.now() + delay >= deadline) throw refusal(call, outcome);
      await this.#pass(delay, call.signal);
    }
  }

  /** The answer to a single try, whatever its status, or why there is none. */
  async once(call: RestCall, timeout: number): Promise<RestAnswer | Error> {
    const ended = new AbortController();
    const late = new TrunklineError('unavailable', `no answer within ${Math.round(timeout)} ms`);
    const cancelDeadline = this.#options.clock.after(timeout, () => ended.abort(late));
    const cancel = () => ended.abort(call.signal?.reason);
    call.signal?.addEventListener('abort', cancel);
    try {
      call.signal?.throwIfAborted();
      const url = this.#url(call);
      const response = await fetch(url, { ...this.#request(call, url), signal: ended.signal });
      const body = new Uint8Array(await response.arrayBuffer());
      return { status: response.status, headers: response.headers, body };
    } catch (error) {
      if (call.signal?.aborted === true) throw call.signal.reason as Error;
      return error instanceof Error ? error : new Error(errorMessage(error));
    } finally {
      cancelDeadline();
      call.signal?.removeEventListener('abort', cancel);
    }
  }

  #url({ path, query = [] }: RestCall): URL {
    const pairs = [...query, ['api-version', API_VERSION] as const];
    const search = pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
    return new URL(`${this.#options.service.address.serverEndpoint}api/${path}?${search}`);
  }

  #request({ method, message }: RestCall, url: URL): RequestInit {
    const { accessKey } = this.#options.service.address;
    const audience = `${url.origin}${url.pathname}`;
    const token = mintRestToken({ key: accessKey, audience, serverId: SERVER_ID });
    const headers = serviceHeaders(token, { Accept: 'application/json' });
    if (message === undefined) return { method, headers, redirect: 'manual' };
    headers['Content-Type'] = 'application/json; charset=utf-8';
    return { method, headers, body: message, redirect: 'manual' };
  }

  async #pass(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = deferred();
    const wake = () => resolve();
    const cancel = this.#options.clock.after(milliseconds, wake);
    signal?.addEventListener('abort', wake);
    await promise;
    cancel();
    signal?.removeEventListener('abort', wake);
  }
}

/** The names in braces of a path. */
type NamesOf<T extends string> = T extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesOf<Rest>
  : never;

/** A path with its names in place, escaped. Throws TypeError for names that no URL can hold. */
export function path<T extends keyof RestApi>(
  template: T,
  names: Readonly<Record<NamesOf<T>, string>>,
): RestPath<T> {
  const all: Readonly<Record<string, string>> = names;
  return template.replaceAll(/\{(\w+)\}/g, (_all, name: string) => segment(all[name]!));
}

/** URLs lose segments of dots, escaped or not. */
function segment(name: string): string {
  if (typeof name === 'string' && !/^\.{0,2}$/.test(name)) return encodeURIComponent(name);
  throw new TypeError(`'${name}' cannot name a connection, group or user in a REST call`);
}

function saysAbsent({ headers }: RestAnswer, { absent }: RestCall): boolean {
  return absent?.toLowerCase() === (headers.get('x-ms-error-code') ?? '').toLowerCase();
}
