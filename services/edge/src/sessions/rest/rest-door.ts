import { bearerToken } from '@trunkline/tokens';
import type { Exchange } from '../../ports/exchange.ts';
import type { HttpAnswer, HttpRequest, Post } from '../../ports/listener.ts';
import type { LabelCounts } from '../counters.ts';
import type { HubDirectory } from '../hub-directory.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import { unauthorized } from '../token-verifier.ts';
import type { Method } from './operations.ts';
import { checkVersion, hubOf } from './parameters.ts';
import { perform } from './perform.ts';
import { requestIds, RestCall } from './rest-call.ts';
import type { RestContext } from './rest-context.ts';
import { RestError, unavailable } from './rest-error.ts';
import { findRoute } from './routes.ts';

/** Bounds of a request (REST reference, section 8.1). */
const MOST_URI = 12 * 1024;
const MOST_HEADERS = 16 * 1024;
const TEXT = { 'content-type': 'text/plain' } as const;

/** The data-plane REST API: finds out what a request wants and whether it may, and has it done. */
export class RestDoor {
  readonly #context: RestContext;
  readonly #hubs: HubDirectory;
  readonly #counts: LabelCounts;

  constructor(context: RestContext, hubs: HubDirectory) {
    this.#context = context;
    this.#hubs = hubs;
    this.#counts = context.edge.counters.restRequests;
  }

  /** Answers a request; where its body is to be read first, says what becomes of that. */
  receive(request: HttpRequest, exchange: Exchange): Post | undefined {
    const requestId = Buffer.from(this.#context.random(8)).toString('hex');
    const match = findRoute(request.method, request.path);
    if (match === undefined || !('route' in match)) {
      const headers = requestIds(request, requestId);
      exchange.answer(this.#noted(request, requestId, withHeaders(nowhere(match), headers)));
      return undefined;
    }
    const call = new RestCall(request, exchange, match, requestId, this.#counts);
    let post: Post | undefined;
    orFail(call, () => {
      post = this.#begin(call);
    });
    return post;
  }

  #begin(call: RestCall): Post | undefined {
    checkLimits(call.request);
    const { operation } = call.route;
    if (operation.anonymous === true) {
      call.succeed();
      return undefined;
    }
    const hub = this.#hubOf(call);
    if (hub === undefined) return undefined;
    if (operation.body !== undefined) return this.#post(call, hub);
    this.#perform(call, hub, NO_BODY);
    return undefined;
  }

  /** What asks and changes nothing is little, and is done all the same. */
  #perform(call: RestCall, hub: HubRuntime, body: Buffer): void {
    const { method } = call.request;
    const asks = method === 'GET' || method === 'HEAD';
    if (!asks && !hub.others.haveRoom) {
      throw unavailable('The bus to other edges has no room for more.');
    }
    perform(call, hub, body, this.#context);
  }

  /** The hub that a call may be about; undefined when it has been refused. */
  #hubOf(call: RestCall): HubRuntime | undefined {
    const { request, route } = call;
    if (route.id === 'accessKey') return this.#refuse(call, NO_ENTRA);
    const token = bearerToken(request.headers.get('authorization')) ?? '';
    const verified = this.#context.edge.tokens.verify(token, 'rest', '', request.path);
    if (typeof verified === 'string') return this.#refuse(call, unauthorized(verified));
    if (route.style === 'dated') checkVersion(request);
    const hub = this.#hubs.open(hubOf(call.names, request), 'server');
    if (hub === undefined) throw unavailable('The service has as many hubs as it may.');
    return hub;
  }

  #post(call: RestCall, hub: HubRuntime): Post {
    return {
      client: '',
      owner: hub.name,
      take: (body) => orFail(call, () => this.#perform(call, hub, body)),
      refused: ({ status, body, headers }) => {
        const message = typeof body === 'string' ? body : 'Too many bodies are being read.';
        const error = new RestError(status, 'Error.Request.Invalid', message, headers);
        return call.finished(call.failure(error));
      },
    };
  }

  #refuse(call: RestCall, answer: HttpAnswer): undefined {
    call.refuse(this.#noted(call.request, call.requestId, answer));
  }

  /** Logs a refusal; what is said of the request is what its caller says. */
  #noted(request: HttpRequest, requestId: string, answer: HttpAnswer): HttpAnswer {
    const { remoteAddress, method } = request;
    const why = answer.why ?? String(answer.status);
    const path = request.path.slice(0, MOST_LOGGED);
    this.#context.edge.digest.info({ reason: why }, 'REST call refused', {
      remoteAddress,
      method,
      path,
      requestId,
    });
    return answer;
  }
}

const MOST_LOGGED = 200;
const NO_BODY = Buffer.alloc(0);
const NO_ENTRA: HttpAnswer = {
  status: 401,
  headers: {
    'www-authenticate':
      'Bearer error="invalid_token", error_description="This service signs in by access keys only"',
  },
  why: 'entra',
};

function orFail(call: RestCall, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof RestError)) throw error;
    call.fail(error);
  }
}

function checkLimits({ path, query, headers }: HttpRequest): void {
  if (path.length + 1 + query.length > MOST_URI) {
    throw new RestError(414, 'Error.Request.Invalid', 'The URI is longer than 12 KB.');
  }
  let length = 0;
  for (const [name, value] of headers) length += name.length + value.length + 4;
  if (length > MOST_HEADERS) {
    throw new RestError(431, 'Error.Request.Invalid', 'The headers are longer than 16 KB.');
  }
}

/** What is answered where no operation is: no error code, by which callers know it (trap 6). */
function nowhere(methods: readonly Method[] | undefined): HttpAnswer {
  if (methods === undefined) {
    return { status: 404, headers: TEXT, body: 'There is no such operation.\n' };
  }
  const headers = { ...TEXT, allow: methods.join(', ') };
  return { status: 405, headers, body: 'There is no such operation here.\n' };
}

function withHeaders(answer: HttpAnswer, headers: HttpAnswer['headers']): HttpAnswer {
  return { ...answer, headers: { ...answer.headers, ...headers } };
}
