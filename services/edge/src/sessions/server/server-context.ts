import type { ForeignIds } from '../../model/foreign-ids.ts';
import type { EdgeContext } from '../edge-context.ts';
import type { Guest } from '../guests.ts';
import type { HubClient } from '../hub-client.ts';
import type { PacedCloses } from '../paced-closes.ts';
import type { ClientResults } from './client-results.ts';

/** A server connection as what looks after it sees it. */
export interface ServerConnection {
  /** Keep-alive and silence; called about once a second. `late`: how long this edge itself slept. */
  check(now: number, late: number): void;
  queuedBytes(): number;
  /** The edge is about to stop: its app server is told, once. */
  tellOfEnd(): void;
  /** It does not after all, and may be about to another time. */
  endsNot(): void;
  /** The edge stops. */
  stop(): void;
}

/** What server connections share. */
export interface ServerContext extends EdgeContext {
  readonly servers: Set<ServerConnection>;
  readonly results: ClientResults;
  /** Clients of other edges that server connections of this one serve. */
  readonly guests: ForeignIds<Guest>;
  /** Clients to be closed at a time, in Unix seconds, because their sign-in ends then. */
  readonly expiring: Map<HubClient, number>;
  /** Clients that are closed because their app server goes. */
  readonly pacedCloses: PacedCloses;
  /** Posts that wait for room at a server connection. */
  readonly heldPosts: { resume(now: number): void };
}
