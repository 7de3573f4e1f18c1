import type { LogDigest, Logger } from '@trunkline/telemetry';
import type { Changes } from '../model/changes.ts';
import type { ConnectionTable } from '../model/connection-table.ts';
import type { Intake } from './intake.ts';
import type { Time } from '../ports/time.ts';
import type { Counters } from './counters.ts';
import type { HubClient } from './hub-client.ts';
import type { HubPolicies } from './hub-policies.ts';
import type { Outbox } from './outbox.ts';
import type { Pools } from '../pools.ts';
import type { TokenVerifier } from './token-verifier.ts';
import type { TurnFlusher } from './turn-flusher.ts';

/** Bounds of what one connection may take, in bytes and milliseconds. */
export interface SessionLimits {
  /** One hub message of a client, framing included. */
  readonly hubMessageBytes: number;
  /** One post of a client. */
  readonly batchBytes: number;
  /** How long a client waits for an app server after its handshake request. */
  readonly serverWaitMs: number;
  /** What may wait for a client that does not read. */
  readonly clientQueueBytes: number;
  /** How long a poll without an answer hangs. */
  readonly pollMs: number;
  /** Mask of TRANSPORT_BITS: the transports served. */
  readonly transports: number;
  /** Client connections, those included that have negotiated and not connected yet. */
  readonly connections: number;
  /** Hubs, whoever names them. */
  readonly hubs: number;
  /** Sockets on the public port, above which no client is let in: file descriptors are short. */
  readonly openSockets: number;
  /** How long clients are given to leave when the edge drains. */
  readonly drainMs: number;
  /** Clients that are sent away in a second meanwhile, at least. */
  readonly drainRate: number;
  /** Clients that are moved in a second to app servers that have fewer. */
  readonly rebalance: number;
}

/** What all sessions of an edge share. What only clients, or only app servers, need is in theirs. */
export interface EdgeContext {
  readonly edgeId: string;
  readonly time: Time;
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
  /** The edge is about to stop, and takes no new clients: see `Draining`. */
  isDraining: boolean;
  readonly clients: ConnectionTable<HubClient>;
  /** Numbers the changes of who is in its hubs, groups and users. */
  readonly changes: Changes;
  /** What is settled for single hubs. */
  readonly policies: HubPolicies;
  readonly tokens: TokenVerifier;
  readonly flusher: TurnFlusher;
  /** What clients are sent, until it is written. */
  readonly outbox: Outbox;
}
