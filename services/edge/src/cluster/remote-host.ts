import type { MessageFromService } from '@trunkline/protocol';
import { encodeServiceBody, MigrationLevel } from '@trunkline/protocol';
import { CLIENT_CLOSE_REASONS } from '../sessions/close-reason.ts';
import type { Host, Software } from '../sessions/host.ts';
import type { HubRuntime } from '../sessions/hub-runtime.ts';
import type { Served } from '../sessions/served.ts';
import { encodeGuestFrame, encodeToHost } from './guest-frames.ts';
import type { Placed } from './guest-frames.ts';
import type { Found } from './host-directory.ts';

/** What may be on its way to a host edge for one client before it counts as full. */
export const WINDOW_BYTES = 256 * 1024;
/** What a client may say beyond that while it is full, as with a server connection that is full. */
const ALLOWANCE_BYTES = 256 * 1024;
/** Longer data travels in several frames, so that no message is too long for the bus. */
export const PIECE_BYTES = 1024 * 1024;
/** What a frame counts for beside its data. */
export const FRAME_BYTES = 32;

/** Of an app server that has not been heard of: what every software can do. */
const UNKNOWN: Software = {
  reopensClients: true,
  passesAnswers: true,
  losesEarlyAnswers: false,
  restsStreams: false,
  updatesClaims: false,
};

/** What remote hosts need of whoever keeps them. */
export interface RemoteLine {
  /** Gives it a number, and keeps it from now on. */
  open(host: RemoteHost): number;
  /** The other way round. */
  close(host: RemoteHost): void;
  /** `frame` is lent for the call. */
  say(edgeId: string, frame: Uint8Array): void;
  /** It was full, and takes more again. */
  resumed(): void;
}

/**
 * The host of one client, at another edge: an app server that has dialled that one. What is said to it
 * goes there over the bus, which keeps order, so nothing waits for an answer. A host edge that is lost, or
 * missed something, is a server connection lost.
 */
export class RemoteHost implements Host {
  readonly edgeId: string;
  readonly hub: HubRuntime;
  serverId: string;
  /** Until an app server has the client nothing is lost by giving it to another one. */
  migrationLevel: number = MigrationLevel.Any;
  isDeparting = false;
  software = UNKNOWN;
  /** Told apart by it at the host edge, and from former stays of the same client. */
  n = 0;
  #client: Served | undefined;
  readonly #line: RemoteLine;
  /** Bytes that the host edge has not confirmed. */
  #underway = 0;
  /** Bytes taken from the client while it was full. */
  #owed = 0;

  constructor({ edgeId, serverId }: Found, hub: HubRuntime, line: RemoteLine) {
    this.edgeId = edgeId;
    this.serverId = serverId;
    this.hub = hub;
    this.#line = line;
  }

  get client(): Served | undefined {
    return this.#client;
  }

  get carriesClients(): boolean {
    return this.hub.others.edges.includes(this.edgeId);
  }

  get isFull(): boolean {
    return this.#underway > WINDOW_BYTES;
  }

  open(client: Served, protocol: string, handshake: Uint8Array, migratedFrom?: string): void {
    client.host = this;
    this.#client = client;
    this.n = this.#line.open(this);
    const { id, userId, transport, introduction, affinity } = client;
    const opening = encodeGuestFrame({
      kind: 'open',
      n: this.n,
      hub: this.hub.name,
      id,
      userId,
      transport: transport.label,
      introduction,
      sticky: affinity.sticky,
      serverId: this.serverId,
      protocol,
      handshake,
      migratedFrom,
    });
    this.#line.say(this.edgeId, opening);
  }

  /** The host edge has given the client to an app server. */
  placed({ serverId, migrationLevel, software }: Placed): void {
    this.serverId = serverId;
    this.migrationLevel = migrationLevel;
    this.software = software;
  }

  forward(client: Served, bytes: Uint8Array, count: number): void {
    const { length } = bytes;
    if (this.isFull) {
      this.#owed += length + FRAME_BYTES;
      if (this.#owed > ALLOWANCE_BYTES) return client.close(CLIENT_CLOSE_REASONS.slowAppServer);
    }
    if (length <= PIECE_BYTES) return this.#forwardPiece(bytes, count);
    for (let at = 0; at < length; at += PIECE_BYTES) {
      const isLast = at + PIECE_BYTES >= length;
      this.#forwardPiece(bytes.subarray(at, at + PIECE_BYTES), isLast ? count : 0);
    }
  }

  #forwardPiece(bytes: Uint8Array, count: number): void {
    this.#underway += bytes.length + FRAME_BYTES;
    this.#line.say(this.edgeId, encodeToHost(this.n, count, bytes));
  }

  /** So many bytes more have come to the app server. */
  taken(bytes: number): void {
    const wasFull = this.isFull;
    this.#underway -= bytes;
    if (!wasFull || this.isFull) return;
    this.#owed = 0;
    this.#line.resumed();
  }

  welcomed(): void {
    this.#line.say(this.edgeId, encodeGuestFrame({ kind: 'welcomed', n: this.n }));
  }

  clientGone(client: Served): void {
    this.#leave(undefined);
    this.release(client);
  }

  handOver(client: Served, serverId: string): void {
    this.#leave(serverId);
    this.release(client);
  }

  release(client: Served): void {
    client.host = undefined;
    this.#client = undefined;
    this.#line.close(this);
  }

  write(message: MessageFromService): void {
    if (this.#client === undefined) return;
    const bytes = encodeServiceBody(message);
    this.#line.say(this.edgeId, encodeGuestFrame({ kind: 'write', n: this.n, bytes }));
  }

  #leave(to: string | undefined): void {
    this.#line.say(this.edgeId, encodeGuestFrame({ kind: 'left', n: this.n, to }));
  }
}
