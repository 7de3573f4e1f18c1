import { randomUUID } from 'node:crypto';

import type { TransportName } from '@trunkline/protocol';
import { redirectAnswer, redirectUrl, TRANSPORT_BITS } from '@trunkline/protocol';
import type { Claims, SystemClaims } from '@trunkline/tokens';
import { ClaimError, mintClientToken, TokenTooLongError } from '@trunkline/tokens';

import type { Authorize, HubUser } from '../clients/authorization.ts';
import { isYes, negotiatedUser } from '../clients/authorization.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import type { NegotiatingClient } from '../endpoints/router.ts';
import type { Logger } from '../options.ts';

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
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const RETRY_AFTER_SECONDS = 2;

/** Answers `POST <path>/negotiate` for the mapped paths (service protocol reference, section 4). */
export class Negotiator {
  /** By their paths in lower case, since paths compare ignoring case, as in ASP.NET Core. */
  readonly #routes = new Map<string, NegotiateRoute>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(route: NegotiateRoute): void {
    this.#routes.set(`${route.path}/negotiate`.toLowerCase(), route);
  }

  /** The paths that are answered, as they were mapped. */
  get paths(): string[] {
    return [...this.#routes.values()].map(({ path }) => `${path}/negotiate`);
  }

  /** The answer to a request, or undefined when it is none of ours. `url` is path and query. */
  async answer<Request>(
    method: string | undefined,
    url: string,
    request: Request,
    options: NegotiateOptions<Request>,
  ): Promise<HttpAnswer | undefined> {
    const [path, query] = split(url);
    const route = this.#routes.get(path.replace(/\/$/, '').toLowerCase());
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
}

async function negotiated<Request>(
  route: NegotiateRoute,
  query: string,
  request: Request,
  options: NegotiateOptions<Request>,
): Promise<HttpAnswer> {
  const [userId, claims, expiresAt] = await Promise.all([
    options.userId?.(request),
    options.claims?.(request),
    options.expiresAt?.(request),
  ]);
  const user = negotiatedUser(userId, claims);
  const refusal = route.authorize && (await unauthorized(route.authorize, user));
  if (refusal !== undefined) return refusal;
  const endpoint = await route.choose({ userId: user.userIdentifier, request });
  if (endpoint === undefined) {
    return text(503, 'The service is not connected yet, please try again later.', {
      'retry-after': String(RETRY_AFTER_SECONDS),
    });
  }
  const lifetimeSeconds = options.tokenLifetimeSeconds;
  const system = { ...route.system, ...tokenClaims(options, expiresAt) };
  return redirect(endpoint, route, query, { userId, claims, lifetimeSeconds, system });
}

function redirect(
  endpoint: Endpoint,
  { hub, path }: NegotiateRoute,
  originalQuery: string,
  client: Omit<Parameters<typeof mintClientToken>[0], 'key' | 'audienceBase' | 'hub'>,
): HttpAnswer {
  const { accessKey, audienceBase, clientEndpoint } = endpoint.service.address;
  const token = mintClientToken({ key: accessKey, audienceBase, hub, ...client });
  const url = redirectUrl({
    clientEndpoint,
    hub,
    originalPath: `${path}/negotiate`,
    originalQuery,
    requestId: randomUUID(),
  });
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(redirectAnswer(url, token)),
  };
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
