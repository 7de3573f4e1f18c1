import { randomUUID } from 'node:crypto';

import type { TransportName } from '@trunkline/protocol';
import { redirectAnswer, redirectUrl, TRANSPORT_BITS } from '@trunkline/protocol';
import type { Claims, SystemClaims } from '@trunkline/tokens';
import { ClaimError, mintClientToken, TokenTooLongError } from '@trunkline/tokens';

import type { Authorize, HubUser } from '../clients/authorization.ts';
import { isYes, negotiatedUser } from '../clients/authorization.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import type { NegotiatingClient } from '../endpoints/router.ts';
import { errorMessage } from '../errors.ts';
import type { RefreshOutcome, SignIn } from '../management/auth-refresh.ts';
import type { Logger } from '../options.ts';
import type { RefreshRefusal } from './refresh.ts';
import { connectionTokenOf, refreshedLifetime, REFRESH_REFUSALS } from './refresh.ts';

/** What tokens say beside who a client is. */
export interface TokenOptions {
  /** How long a client has to connect with its token. Default one hour. */
  readonly tokenLifetimeSeconds?: number;
  /** The transports that clients may use. Default all that the service has. */
  readonly transports?: readonly TransportName[];
  /** How long a long-polling client may go between two polls, 1 to 300. Default 5. */
  readonly maxPollIntervalSeconds?: number;
}

/** Who a client is, as the app knows it from the negotiate request. The functions may be async. */
export interface NegotiateOptions<Request> extends TokenOptions {
  /** The user id that `clients.user()` sends to and `context.userIdentifier` shows. */
  readonly userId?: (request: Request) => string | undefined | Promise<string | undefined>;
  /** What `context.claims` shows. */
  readonly claims?: (request: Request) => Claims | Promise<Claims>;
  /**
   * When the user's sign-in ends: the connection is closed then, and the client free to reconnect.
   * Default: a connection outlives whatever it was made with.
   */
  readonly expiresAt?: (request: Request) => Date | undefined | Promise<Date | undefined>;
  /**
   * Lets clients sign in anew on the connection that they have, at `<path>/refresh`: .NET 11's do so
   * by themselves before their token ends. Default false.
   */
  readonly authenticationRefresh?: boolean;
}

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

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
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
  const { userId, claims, expiresAt, user } = await signedIn(request, options);
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
    ? refreshedLifetime(options, expiresAt)
    : options.tokenLifetimeSeconds;
  const system = { ...route.system, ...tokenClaims(options, expiresAt) };
  const token = tokenOf(endpoint, route, { userId, claims, lifetimeSeconds, system });
  const redirect = redirectTo(endpoint, route, query, token);
  // Clients that see how long their token lives ask for the next one.
  return answerJson(refreshes ? { ...redirect, tokenLifetimeSeconds: lifetimeSeconds } : redirect);
}

async function refreshed<Request>(
  route: NegotiateRoute,
  query: string,
  request: Request,
  options: NegotiateOptions<Request>,
): Promise<HttpAnswer> {
  if (options.authenticationRefresh !== true) return refused('refresh_disabled');
  const connectionToken = connectionTokenOf(request, query);
  if (connectionToken === '') return refused('missing_connection_token');
  const { userId, claims, expiresAt, user } = await signedIn(request, options);
  if (user.userIdentifier === undefined) return refused('invalid_token');
  if (route.authorize !== undefined && !(await isYes(route.authorize(user)))) {
    return refused('permission_change_rejected');
  }
  const lifetimeSeconds = refreshedLifetime(options, expiresAt);
  const system = { ...route.system, ...tokenClaims(options, expiresAt) };
  const tokenFor = (endpoint: Endpoint) =>
    tokenOf(endpoint, route, { userId, claims, lifetimeSeconds, system });
  const outcome = await route.refresh({ connectionToken, tokenFor, expiresAt });
  if ('refused' in outcome) return refused(outcome.refused);
  const { accessToken } = outcome;
  return answerJson({ accessToken, tokenLifetimeSeconds: lifetimeSeconds });
}

/** Whoever asks, as the app knows them. */
async function signedIn<Request>(request: Request, options: NegotiateOptions<Request>) {
  const [userId, claims, expiresAt] = await Promise.all([
    options.userId?.(request),
    options.claims?.(request),
    options.expiresAt?.(request),
  ]);
  return { userId, claims, expiresAt, user: negotiatedUser(userId, claims) };
}

function refused(error: RefreshRefusal): HttpAnswer {
  return answerJson({ error }, REFRESH_REFUSALS[error]);
}

function answerJson(value: object, status = 200): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(value),
  };
}

function tokenOf(
  { service }: Endpoint,
  { hub }: NegotiateRoute,
  client: Omit<Parameters<typeof mintClientToken>[0], 'key' | 'audienceBase' | 'hub'>,
): string {
  const { accessKey, audienceBase } = service.address;
  return mintClientToken({ key: accessKey, audienceBase, hub, ...client });
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

/** What the options ask of the service. */
export function tokenClaims(
  { transports, maxPollIntervalSeconds }: TokenOptions,
  expiresAt: Date | undefined,
): SystemClaims {
  const closeAt = expiresAt && Math.floor(expiresAt.getTime() / 1000);
  return {
    transports: transports?.reduce((mask, transport) => mask | TRANSPORT_BITS[transport], 0),
    pollIntervalSeconds: maxPollIntervalSeconds,
    closeOnAuthExpirationAt: closeAt,
  };
}

function text(status: number, body: string, headers: Record<string, string> = {}): HttpAnswer {
  return { status, headers: { 'content-type': 'text/plain', ...headers }, body };
}

/** Path and query without its `?`. */
function split(url: string): [string, string] {
  const mark = url.indexOf('?');
  return mark === -1 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}
