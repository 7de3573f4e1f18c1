import { randomUUID } from 'node:crypto';

import { redirectAnswer, redirectUrl } from '@trunkline/protocol';
import type { SystemClaims } from '@trunkline/tokens';
import { ClaimError, TokenTooLongError } from '@trunkline/tokens';

import type { Authorize, HubUser } from '../clients/authorization.ts';
import { isYes } from '../clients/authorization.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import type { NegotiatingClient } from '../endpoints/router.ts';
import { errorMessage } from '../errors.ts';
import type { RefreshOutcome, SignIn } from '../management/auth-refresh.ts';
import type { Logger } from '../options.ts';
import type { HttpAnswer } from './answers.ts';
import { json, text } from './answers.ts';
import type { NegotiateOptions } from './options.ts';
import { refreshed, refused } from './refresh.ts';
import { refreshedLifetime, signedIn, tokenMaker } from './sign-in.ts';

/** A mapped path, as negotiate sees it. */
export interface NegotiateRoute {
  readonly path: string;
  /** The hub key. */
  readonly hub: string;
  readonly system: SystemClaims;
  /** Who may have a token; undefined is everybody. */
  readonly authorize: Authorize | undefined;
  /** The endpoint for a client; undefined when none is online. */
  readonly choose: (client: Omit<NegotiatingClient, 'hub'>) => Promise<Endpoint | undefined>;
  /** Tells the services of a new sign-in. */
  readonly refresh: (signIn: SignIn) => Promise<RefreshOutcome>;
}

const RETRY_AFTER_SECONDS = 2;

/**
 * Answers `POST <path>/negotiate` and `<path>/refresh` for the mapped paths (service protocol
 * reference, sections 4 and 18.6).
 */
export class Negotiator {
  /** By their paths in lower case, since paths compare ignoring case, as in ASP.NET Core. */
  readonly #routes = new Map<string, NegotiateRoute>();
  readonly #refreshes = new Map<string, NegotiateRoute>();
  readonly #logger: Logger;
  readonly #inPlace: () => Negotiator;

  /** `inPlace` is who answers, where this one stands for another; itself as a rule. */
  constructor(logger: Logger, inPlace: () => Negotiator) {
    this.#logger = logger;
    this.#inPlace = inPlace;
  }

  add(route: NegotiateRoute): void {
    this.#routes.set(`${route.path}/negotiate`.toLowerCase(), route);
    this.#refreshes.set(`${route.path}/refresh`.toLowerCase(), route);
  }

  /** The paths that are answered, as they were mapped. */
  get paths(): string[] {
    return [...this.#routes.values()].map(({ path }) => `${path}/negotiate`);
  }

  /** Those where clients sign in anew. */
  get refreshPaths(): string[] {
    return [...this.#refreshes.values()].map(({ path }) => `${path}/refresh`);
  }

  /** The answer to a request, or undefined when it is none of ours. `url` is path and query. */
  answer<Request>(
    method: string | undefined,
    url: string,
    request: Request,
    options: NegotiateOptions<Request>,
  ): Promise<HttpAnswer | undefined> {
    return this.#inPlace().answerItself(method, url, request, options);
  }

  /** The same, by this one's own paths. */
  async answerItself<Request>(
    method: string | undefined,
    url: string,
    request: Request,
    options: NegotiateOptions<Request>,
  ): Promise<HttpAnswer | undefined> {
    const [path, query] = split(url);
    const key = path.replace(/\/$/, '').toLowerCase();
    const refresh = this.#refreshes.get(key);
    if (refresh !== undefined) return this.#refresh(refresh, method, query, request, options);
    const route = this.#routes.get(key);
    if (method !== 'POST' || route === undefined) return undefined;
    try {
      return await negotiated(route, query, request, options);
    } catch (error) {
      if (error instanceof TokenTooLongError) return text(413, error.message);
      // Frameworks would show the client what is thrown, and this is the app's own mistake.
      if (!(error instanceof ClaimError)) throw error;
      this.#logger.error(`${route.path}/negotiate failed: ${error.message}`, error);
      return text(500, 'Negotiate failed.');
    }
  }

  async #refresh<Request>(
    route: NegotiateRoute,
    method: string | undefined,
    query: string,
    request: Request,
    options: NegotiateOptions<Request>,
  ): Promise<HttpAnswer> {
    if (method !== 'POST') return { status: 405, headers: { allow: 'POST' }, body: '' };
    try {
      return await refreshed(route, query, request, options);
    } catch (error) {
      this.#logger.error(`${route.path}/refresh failed: ${errorMessage(error)}`, error);
      return refused('internal_server_error');
    }
  }
}

async function negotiated<Request>(
  route: NegotiateRoute,
  query: string,
  request: Request,
  options: NegotiateOptions<Request>,
): Promise<HttpAnswer> {
  const who = await signedIn(request, options);
  const { user } = who;
  const refusal = route.authorize && (await unauthorized(route.authorize, user));
  if (refusal !== undefined) return refusal;
  const endpoint = await route.choose({ userId: user.userIdentifier, request });
  if (endpoint === undefined) {
    return text(503, 'The service is not connected yet, please try again later.', {
      'retry-after': String(RETRY_AFTER_SECONDS),
    });
  }
  const refreshes = options.authenticationRefresh === true && user.userIdentifier !== undefined;
  const lifetimeSeconds = refreshes
    ? refreshedLifetime(options, who.expiresAt)
    : options.tokenLifetimeSeconds;
  const token = tokenMaker(route, options, who, lifetimeSeconds)(endpoint);
  const redirect = redirectTo(endpoint, route, query, token);
  // Clients that see how long their token lives ask for the next one.
  return json(refreshes ? { ...redirect, tokenLifetimeSeconds: lifetimeSeconds } : redirect);
}

function redirectTo(
  { service }: Endpoint,
  { hub, path }: NegotiateRoute,
  originalQuery: string,
  token: string,
) {
  const { clientEndpoint } = service.address;
  const url = redirectUrl({
    clientEndpoint,
    hub,
    originalPath: `${path}/negotiate`,
    originalQuery,
    requestId: randomUUID(),
  });
  return redirectAnswer(url, token);
}

/**
 * The refusal of somebody who may not use the hub; undefined for who may. The one of somebody who is
 * not signed in has no body, as in ASP.NET Core: clients then say `Unauthorized`.
 */
async function unauthorized(authorize: Authorize, user: HubUser): Promise<HttpAnswer | undefined> {
  if (await isYes(authorize(user))) return undefined;
  return user.userIdentifier === undefined
    ? { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: '' }
    : text(403, 'This user may not use this hub.');
}

/** Path and query without its `?`. */
function split(url: string): [string, string] {
  const mark = url.indexOf('?');
  return mark === -1 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}
