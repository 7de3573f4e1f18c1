import type { EdgeContext } from '../edge-context.ts';
import type { PooledHost } from '../host.ts';
import type { HubClient } from '../hub-client.ts';
import type { Unsettled } from '../intake.ts';
import type { PacedCloses } from '../paced-closes.ts';

/** The client results that app servers wait for, as far as clients see them. */
export interface OwedResults {
  /** Somebody waits for a result of this client. */
  awaits(client: HubClient): boolean;
  /** The client has gone, or the app server that serves it: nobody will answer. */
  clientGone(client: HubClient): void;
}

/** What serves clients without app servers, as far as their hubs see it. */
export interface WithoutServers {
  /** The host for the clients of a hub; undefined where there is to be none. */
  hostFor(hub: string): PooledHost | undefined;
}

/** What client connections share. */
export interface ClientContext extends EdgeContext {
  readonly serverless: WithoutServers;
  readonly results: OwedResults;
  /** Clients that are not open yet, or on the move: the only ones with a deadline. */
  readonly unsettled: Set<Unsettled>;
  /** Clients to be closed at a time, in Unix seconds, because their sign-in ends then. */
  readonly expiring: Map<HubClient, number>;
  /** Clients with bytes queued in their socket. */
  readonly backlogged: Set<{ queuedBytes(): number }>;
  /** Clients that are closed because their app server goes. */
  readonly pacedCloses: PacedCloses;
}
