import type { Headers, OpenConnection } from '@trunkline/protocol';

import type { LazySignal } from '../lazy-signal.ts';
import type { UserClaims } from './claims.ts';
import { userClaims, userIdentifier } from './claims.ts';

/** What a hub knows of the client connection it works for. One for the connection's whole life. */
export class HubContext {
  readonly connectionId: string;
  /** What negotiate's `userId` said, else the token's name identifier. */
  readonly userIdentifier: string | undefined;
  readonly #open: OpenConnection;
  readonly #aborted: LazySignal;
  readonly #abort: () => void;
  #claims: UserClaims | undefined;
  #headers: Readonly<Record<string, string>> | undefined;
  #query: URLSearchParams | undefined;
  #items: Map<string, unknown> | undefined;

  constructor(open: OpenConnection, aborted: LazySignal, abort: () => void) {
    this.connectionId = open.connectionId;
    this.userIdentifier = userIdentifier(open.claims);
    this.#open = open;
    this.#aborted = aborted;
    this.#abort = abort;
  }

  /** The user's claims by type, a list where a type repeats. */
  get claims(): UserClaims {
    return (this.#claims ??= userClaims(this.#open.claims));
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
