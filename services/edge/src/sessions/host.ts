import type { MessageFromService } from '@trunkline/protocol';
import type { CloseReason } from './close-reason.ts';
import type { Served } from './served.ts';

/** What the software of an app server can do, where that is not the same for all. */
export interface Software {
  /** It can have a client again as soon as it has replaced the connection that it had it on. */
  readonly reopensClients: boolean;
  /** It passes on what a client answers that another app server has asked. */
  readonly passesAnswers: boolean;
  /** Its process may lose answers of clients that come too soon after its start. */
  readonly losesEarlyAnswers: boolean;
  /** It pauses its streams to a client when the edge asks it to. */
  readonly restsStreams: boolean;
  /** It takes new claims of a client that it has. */
  readonly updatesClaims: boolean;
}

/**
 * What serves a client: a server connection, of this edge or of another one, or the hub's upstream.
 * Whoever holds a client speaks to its host through this alone, and knows nothing of sockets, trunks or
 * frames.
 */
export interface Host {
  /** One per app process, shared by all of its connections. */
  readonly serverId: string;
  /** What the app says that it can bear of having its clients moved: see `mayMove`. */
  readonly migrationLevel: number;
  /** Its process has said that it goes. */
  readonly isDeparting: boolean;
  /** Has clients, or may: not a weak connection, which only sends, nor one that drains. */
  readonly carriesClients: boolean;
  /** Its app server is slow to read: what a client sends it counts against the client's allowance. */
  readonly isFull: boolean;
  /** It has been given a client and has not said whether it takes it: `hostTook` follows, or `hostLost`. */
  readonly mayRefuse: boolean;
  readonly software: Software;
  /** Takes a client on: an OpenConnection, then its handshake request. `migratedFrom`: a server id. */
  open(client: Served, protocol: string, handshake: Uint8Array, migratedFrom?: string): void;
  /** Relays hub messages of a client; one that overdraws its allowance is closed. */
  forward(client: Served, bytes: Uint8Array, count: number): void;
  /** The handshake response of a client is out, so that it can be moved. */
  welcomed(client: Served): void;
  /** A client has ended for a reason of its own, which is given where it is known. `error`: what it was told of that. */
  clientGone(client: Served, reason?: CloseReason, error?: string): void;
  /** A client leaves for another app server, with this server id; empty where none is known yet. */
  handOver(client: Served, serverId: string): void;
  /** Forgets a client without a word to the app server. */
  release(client: Served): void;
  /** Writes a message of the service that is not a client's own. */
  write(message: MessageFromService): void;
}

/** A server connection of this edge, as its hub's pool sees it. */
export interface PooledHost extends Host {
  /** A fingerprint of what the app's hub offers; undefined where the app does not say. */
  readonly offer: string | undefined;
  /** Carries clients, and gets more of them: it is not full. */
  readonly takesClients: boolean;
  /** Carries clients, and gets no more only because it is full. */
  readonly wouldTakeClients: boolean;
  readonly clients: readonly Served[];
}
