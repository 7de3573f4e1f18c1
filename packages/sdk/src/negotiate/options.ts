import type { TransportName } from '@trunkline/protocol';
import { TRANSPORT_BITS } from '@trunkline/protocol';
import type { Claims, SystemClaims } from '@trunkline/tokens';

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

/** What the options ask of the service. */
export function tokenClaims(
  { transports, maxPollIntervalSeconds }: TokenOptions,
  expiresAt: Date | undefined,
): SystemClaims {
  return {
    transports: transports?.reduce((mask, transport) => mask | TRANSPORT_BITS[transport], 0),
    pollIntervalSeconds: maxPollIntervalSeconds,
    closeOnAuthExpirationAt: expiresAt && Math.floor(expiresAt.getTime() / 1000),
  };
}
