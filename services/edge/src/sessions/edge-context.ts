import type { Logger } from '@trunkline/telemetry';
import type { ConnectionTable } from '../model/connection-table.ts';
import type { ClientSession } from './client/client-session.ts';
import type { Counters } from './counters.ts';
import type { ClientResults } from './server/client-results.ts';
import type { ServerSession } from './server/server-session.ts';
import type { TurnFlusher } from './server/trunk.ts';

/** Time as sessions see it: injected, so that tests move it. */
export interface Clock {
  /** Milliseconds on a clock that never jumps. */
  now(): number;
  /** Seconds since 1970. */
  unixSeconds(): number;
}

/** Bounds of what one connection may take, in bytes and milliseconds. */
export interface SessionLimits {
  /** One hub message of a client, framing included. */
  readonly messageBytes: number;
  /** How long a client waits for an app server after its handshake request. */
  readonly serverWaitMs: number;
}

/** What the sessions of an edge share. */
export interface EdgeContext {
  readonly edgeId: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: SessionLimits;
  readonly counters: Counters;
  /** Counts seconds, coarsely: what the message path stamps with, instead of reading a clock. */
  tick: number;
  readonly clients: ConnectionTable<ClientSession>;
  readonly servers: Set<ServerSession>;
  readonly results: ClientResults;
  readonly flusher: TurnFlusher;
  /** Clients that are not open yet, watched for their deadlines. */
  readonly opening: Set<ClientSession>;
  /** Clients with bytes queued in their socket. */
  readonly backlogged: Set<ClientSession>;
}
