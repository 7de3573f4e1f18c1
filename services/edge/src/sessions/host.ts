import type { MessageFromService } from '@trunkline/protocol';
import type { Served } from './served.ts';

/**
 * What serves a client: a server connection. Whoever holds a client speaks to its host through this
 * alone, and knows nothing of sockets, trunks or frames.
 */
export interface Host {
  /** One per app process, shared by all of its connections. */
  readonly serverId: string;
  /** What the app says that it can bear of having its clients moved: see `mayMove`. */
  readonly migrationLevel: number;
  /** Its process has said that it goes. */
  readonly isDeparting: boolean;
  /** Its peer is slow to read: what goes out is held against who sends it. */
  readonly isFull: boolean;
  /** Tells another server what its client has answered to that one. */
  readonly passesAnswers: boolean;
  /** Lets streams to a client rest on the edge's word. */
  readonly restsStreams: boolean;
  /** Takes new claims of a client that it has. */
  readonly updatesClaims: boolean;
  /** Takes a client on: what it is, then its handshake request. `migratedFrom`: a server id. */
  open(client: Served, protocol: string, handshake: Uint8Array, migratedFrom?: string): void;
  /** Relays hub messages of a client; one that overdraws its allowance is closed. */
  forward(client: Served, bytes: Uint8Array, count: number): void;
  /** The handshake response of a client is out, so that it can be moved. */
  welcomed(client: Served): void;
  /** A client has ended for a reason of its own. */
  clientGone(client: Served): void;
  /** A client leaves for another app server, with this server id; empty where none is known yet. */
  handOver(client: Served, serverId: string): void;
  /** Forgets a client without a word to the app server. */
  release(client: Served): void;
  /** Writes a message of the service that is not a client's own. */
  write(message: MessageFromService): void;
}

/** A host as its hub's pool sees it. */
export interface PooledHost extends Host {
  /** A fingerprint of what the app's hub offers; undefined where the app does not say. */
  readonly offer: string | undefined;
  /** Its software can have a client again as soon as it has replaced the connection it had it on. */
  readonly reopens: boolean;
  /** Weak connections only send, and one that drains is about to go. */
  readonly carriesClients: boolean;
  /** A full one gets no new clients. */
  readonly takesClients: boolean;
  /** It is full, and that alone keeps clients from it. */
  readonly wouldTakeClients: boolean;
  readonly clients: readonly Served[];
}
