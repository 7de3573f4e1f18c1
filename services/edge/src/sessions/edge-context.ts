import type { LogDigest, Logger } from '@trunkline/telemetry';
import type { ConnectionTable } from '../model/connection-table.ts';
import type { ClientSession } from './client/client-session.ts';
import type { MigrationPolicy } from './client/migration-policy.ts';
import type { Intake } from './intake.ts';
import type { HeldPosts } from './client/http/held-posts.ts';
import type { Counters } from './counters.ts';
import type { Pools } from '../pools.ts';
import type { PacedCloses } from './paced-closes.ts';
import type { ClientResults } from './server/client-results.ts';
import type { ServerSession } from './server/server-session.ts';
import type { TokenVerifier } from './token-verifier.ts';
import type { TurnFlusher } from './turn-flusher.ts';

/** Time as sessions see it: injected, so that tests move it. */
export interface Clock {
  /** Milliseconds on a clock that never jumps. */
  now(): number;
  /** Seconds since 1970. */
  unixSeconds(): number;
  /** Runs `run` once, in so many milliseconds. For what cannot wait for the watch. */
  after(ms: number, run: () => void): void;
}

/** Bounds of what one connection may take, in bytes and milliseconds. */
export interface SessionLimits {
  /** One hub message of a client, framing included. */
  readonly messageBytes: number;
  /** How long a client waits for an app server after its handshake request. */
  readonly serverWaitMs: number;
  /** What may wait for a client that does not read. */
  readonly clientQueueBytes: number;
  /** How long a poll without an answer hangs. */
  readonly pollMs: number;
  /** Mask of TRANSPORT_BITS: the transports served. */
  readonly transports: number;
  readonly migration: MigrationPolicy;
  /** Client connections, those included that have negotiated and not connected yet. */
  readonly connections: number;
  /** Hubs, whoever names them. */
  readonly hubs: number;
  /** Sockets on the public port, above which no client is let in: file descriptors are short. */
  readonly openSockets: number;
}

/** What the sessions of an edge share. */
export interface EdgeContext {
  readonly edgeId: string;
  readonly clock: Clock;
  /** For what peers cannot cause, and for debug. */
  readonly log: Logger;
  /** For what peers can cause. */
  readonly digest: LogDigest;
  readonly limits: SessionLimits;
  readonly counters: Counters;
  /** What peers draw on together. */
  readonly pools: Pools;
  /** What bounds incoming bytes, and the work they cost. */
  readonly intake: Intake;
  /** Counts seconds, coarsely: what the message path stamps with, instead of reading a clock. */
  tick: number;
  readonly clients: ConnectionTable<ClientSession>;
  readonly servers: Set<ServerSession>;
  readonly results: ClientResults;
  readonly tokens: TokenVerifier;
  readonly flusher: TurnFlusher;
  /** Clients that are not open yet, or on the move: watched for their deadlines. */
  readonly opening: Set<ClientSession>;
  /** Clients to be closed at a time, in Unix seconds, because their sign-in ends then. */
  readonly expiring: Map<ClientSession, number>;
  /** Clients that are closed because their app server goes. */
  readonly pacedCloses: PacedCloses;
  /** Posts held back because their server connection is full. */
  readonly heldPosts: HeldPosts;
  /** Clients with bytes queued in their socket. */
  readonly backlogged: Set<ClientSession>;
}
