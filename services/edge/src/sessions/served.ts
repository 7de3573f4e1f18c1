import type { CloseReason } from './close-reason.ts';
import type { Host } from './host.ts';
import type { MigrationPolicy } from './migration-policy.ts';
import type { Introduction } from './introduction.ts';
import type { Transport } from './transport.ts';

/** A client that nobody has spoken to for so long gets a ping: its own patience is 30 s. */
export const QUIET_SECONDS = 12;

/** Where a client wants to be served, by its token (service protocol reference, section 3.3). */
export interface Affinity {
  readonly sticky: 'Disabled' | 'Preferred' | 'Required';
  readonly serverName: string | undefined;
}

/** What a client's host must know of its hub. */
export interface ServedHub {
  readonly name: string;
  readonly migration: MigrationPolicy;
}

/** What a host needs of a client that it serves, whatever the client's transport is. */
export interface Served {
  readonly id: string;
  /** The edge that holds its connection. */
  readonly edgeId: string;
  readonly userId: string | undefined;
  readonly hub: ServedHub;
  readonly transport: Transport;
  readonly introduction: Introduction;
  readonly affinity: Affinity;
  /** Who serves it: set by the host alone, as the place in the host's list of clients is. */
  host: Host | undefined;
  placeAtHost: number;
  /** Bytes that the host took of the client while full, and in which of its epochs: see `Trunk`. */
  owed: number;
  owedEpoch: number;
  /** The handshake response is out, and no Close of the hub yet. */
  readonly ready: boolean;
  /** Something would be cut off if it left its host now: calls that run, a message, a move. */
  readonly isBusy: boolean;
  /** Data of the host: whole or partial hub messages. */
  fromHost(payload: Uint8Array): void;
  /** The app server has ended this client: all it had to say has been sent. */
  closedByHost(error: string): void;
  /** The host is gone, and with it what the app server kept for the client. */
  hostLost(host: Host): void;
  /** The host goes: the client leaves it when its calls have ended, at `by` (the edge's clock, ms). */
  moveAway(by: number): void;
  /** Lets a client whose host is silent hear that somebody is there. */
  pingIfQuietSince(tick: number): void;
  /** Ends the connection, telling both sides. */
  close(reason: CloseReason, error?: string): void;
}
