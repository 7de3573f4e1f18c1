import type { Headers, OpenConnection, TransportName } from '@trunkline/protocol';
import { oldVersion, TRANSPORT_BITS } from '@trunkline/protocol';

import type { LazySignal } from '../lazy-signal.ts';
import type { HubProtocolName } from '../options.ts';
import type { UserClaims } from './claims.ts';
import { userClaims, userIdentifier } from './claims.ts';

/** Of the edge (docs/protocol.md): it lets no client say such a thing itself. */
const TRANSPORT_HEADER = 'asrs-transport';
const TRANSPORTS = Object.keys(TRANSPORT_BITS) as TransportName[];

/** Tells a context what its client's handshake has come to, before anybody of the app sees it. */
export let tellProtocol: (context: HubContext, protocol: HubProtocolName) => void;

/** Gives a context the claims of a new sign-in. */
export let replaceClaims: (context: HubContext, claims: OpenConnection['claims']) => void;

/** What a hub knows of the client connection it works for. One for the connection's whole life. */
export class HubContext {
  readonly connectionId: string;
  /** What negotiate's `userId` said, else the token's name identifier. */
  readonly userIdentifier: string | undefined;
  readonly #open: OpenConnection;
  #givenClaims: OpenConnection['claims'];
  readonly #aborted: LazySignal;
  readonly #abort: () => void;
  #protocol: HubProtocolName | undefined;
  #claims: UserClaims | undefined;
  #headers: Readonly<Record<string, string>> | undefined;
  #query: URLSearchParams | undefined;
  #items: Map<string, unknown> | undefined;

  static {
    tellProtocol = (context, protocol) => {
      context.#protocol = protocol;
    };
    replaceClaims = (context, claims) => {
      context.#givenClaims = claims;
      context.#claims = undefined;
    };
  }

  constructor(open: OpenConnection, aborted: LazySignal, abort: () => void) {
    this.connectionId = open.connectionId;
    this.userIdentifier = userIdentifier(open.claims);
    this.#open = open;
    this.#givenClaims = open.claims;
    this.#aborted = aborted;
    this.#abort = abort;
  }

  /**
   * How the client's bytes travel, as the edge says; undefined where the service does not, as Azure
   * SignalR Service.
   */
  get transport(): TransportName | undefined {
    const told = this.headers[TRANSPORT_HEADER];
    return TRANSPORTS.find((name) => name === told);
  }

  /** The hub protocol that the client speaks. */
  get protocol(): HubProtocolName {
    return this.#protocol!;
  }

  /**
   * Whether the client may be asked for results. False where its connect request names a version
   * before 7, which cannot answer: asking it fails with `client-too-old`. True is no promise, as a
   * browser's WebSocket does not name its version, and a client answers only what it has a handler
   * for. Never from `onConnected`, whose end its answers wait for.
   */
  get canBeAsked(): boolean {
    return oldVersion((name) => this.headers[name]) === undefined;
  }

  /** The user's claims by type, a list where a type repeats; those of the latest sign-in. */
  get claims(): UserClaims {
    return (this.#claims ??= userClaims(this.#givenClaims));
  }

  /** Headers of the client's connect request, names in lower case, repeated values joined by `, `. */
  get headers(): Readonly<Record<string, string>> {
    return (this.#headers ??= flatHeaders(this.#open.headers));
  }

  /** The query of the client's connect request. */
  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.#open.queryString));
  }

  /** Whatever the hub wants to keep with this connection, on this server only. */
  get items(): Map<string, unknown> {
    return (this.#items ??= new Map());
  }

  /** Aborted when the connection ends, before `onDisconnected`. */
  get signal(): AbortSignal {
    return this.#aborted.signal;
  }

  /** Closes the connection for good: the client does not reconnect by itself. */
  abort(): void {
    this.#abort();
  }
}

function flatHeaders(headers: Headers): Readonly<Record<string, string>> {
  const flat = Object.create(null) as Record<string, string>;
  for (const [name, values] of headers) flat[name.toLowerCase()] = values.join(', ');
  return flat;
}
