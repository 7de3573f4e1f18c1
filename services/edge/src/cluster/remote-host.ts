import type { MessageFromService } from '@trunkline/protocol';
import { encodeServiceBody, MigrationLevel } from '@trunkline/protocol';
import { CLIENT_CLOSE_REASONS } from '../sessions/close-reason.ts';
import type { Host, Software } from '../sessions/host.ts';
import type { HubClient } from '../sessions/hub-client.ts';
import type { HubRuntime } from '../sessions/hub-runtime.ts';
import type { Served } from '../sessions/served.ts';
import { encodeGuestFrame, encodeToHost } from './guest-frames.ts';
import type { Opening, Placed } from './guest-frames.ts';
import type { Found } from './host-directory.ts';

/** What may be on its way to a host edge for one client before it counts as full. */
export const WINDOW_BYTES = 256 * 1024;
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
  /** Keeps it from now on, and has it say its opening: at once, or when its edge has answered others. */
  open(host: RemoteHost): void;
  /** It has no client any more. */
  close(host: RemoteHost): void;
  /** `frame` is lent for the call. */
  say(edgeId: string, frame: Uint8Array): void;
  /** It was full, and takes more again. */
  resumed(): void;
  /** So many bytes more of a client are on their way. False, and not so, where there is no room for them. */
  take(client: HubClient, bytes: number): boolean;
  give(client: HubClient, bytes: number): void;
  /** Nearly as much is on its way as may be. */
  readonly isFull: boolean;
}

/** What its opening says of a client, kept until that is said. */
interface Unsaid extends Pick<Opening, 'protocol' | 'handshake' | 'migratedFrom'> {
  /** To be said behind it: questions to the client, of which there are few at a time (`client_results_of_client`). */
  readonly writes: MessageFromService[];
}

/**
 * The host of one client, at another edge: an app server that has dialled that one. What is said to it
 * goes there over the bus, which keeps order. Its opening waits while many others are under way, and what
 * the client says until that edge has said that it takes the client; nothing else waits for an answer. A
 * host edge that is lost, or missed something, is a server connection lost.
 */
export class RemoteHost implements Host {
  readonly edgeId: string;
  readonly hub: HubRuntime;
  serverId: string;
  /** Until an app server has the client nothing is lost by giving it to another one. */
  migrationLevel: number = MigrationLevel.Any;
  isDeparting = false;
  /** Until its edge has said where the client is. */
  mayRefuse = true;
  software = UNKNOWN;
  #n = -1;
  #client: HubClient | undefined;
  #unsaid: Unsaid | undefined;
  readonly #line: RemoteLine;
  /** Bytes that the host edge has not confirmed. */
  #underway = 0;

  constructor({ edgeId, serverId }: Found, hub: HubRuntime, line: RemoteLine) {
    this.edgeId = edgeId;
    this.serverId = serverId;
    this.hub = hub;
    this.#line = line;
  }

  /** Told apart by it at the host edge, and from former stays of the same client; negative until it is said. */
  get n(): number {
    return this.#n;
  }

  get client(): HubClient | undefined {
    return this.#client;
  }

  get carriesClients(): boolean {
    return this.hub.others.edges.includes(this.edgeId);
  }

  get isFull(): boolean {
    return this.#underway > WINDOW_BYTES || this.#line.isFull;
  }

  open(client: Served, protocol: string, handshake: Uint8Array, migratedFrom?: string): void {
    client.host = this;
    // Guests of this edge are given to its own app servers alone.
    this.#client = client as HubClient;
    this.#unsaid = { protocol, handshake, migratedFrom, writes: [] };
    this.#line.open(this);
  }

  /** Says the opening of its client, under this number; answers how many bytes it has. */
  sayOpening(n: number): number {
    const { id, userId, transport, introduction, affinity } = this.#client!;
    const { writes, ...unsaid } = this.#unsaid!;
    this.#n = n;
    this.#unsaid = undefined;
    const opening = encodeGuestFrame({
      kind: 'open',
      n,
      hub: this.hub.name,
      id,
      userId,
      transport: transport.label,
      introduction,
      sticky: affinity.sticky,
      serverId: this.serverId,
      ...unsaid,
    });
    const { length } = opening;
    this.#line.say(this.edgeId, opening);
    for (const message of writes) this.write(message);
    return length;
  }

  /** The host edge has given the client to an app server. */
  placed({ serverId, migrationLevel, software }: Placed): void {
    this.serverId = serverId;
    this.migrationLevel = migrationLevel;
    this.software = software;
    this.mayRefuse = false;
  }

  forward(client: Served, bytes: Uint8Array, count: number): void {
    const { length } = bytes;
    const frames = Math.ceil(length / PIECE_BYTES);
    const size = length + frames * FRAME_BYTES;
    if (!this.#line.take(client as HubClient, size)) {
      return client.close(CLIENT_CLOSE_REASONS.slowAppServer);
    }
    this.#underway += size;
    if (length <= PIECE_BYTES) return this.#forwardPiece(bytes, count);
    for (let at = 0; at < length; at += PIECE_BYTES) {
      const isLast = at + PIECE_BYTES >= length;
      this.#forwardPiece(bytes.subarray(at, at + PIECE_BYTES), isLast ? count : 0);
    }
  }

  #forwardPiece(bytes: Uint8Array, count: number): void {
    this.#line.say(this.edgeId, encodeToHost(this.n, count, bytes));
  }

  /** So many bytes more have come to the app server. */
  taken(bytes: number): void {
    const wasFull = this.isFull;
    this.#give(bytes);
    if (wasFull && !this.isFull) this.#line.resumed();
  }

  #give(bytes: number): void {
    this.#underway -= bytes;
    if (this.#client !== undefined) this.#line.give(this.#client, bytes);
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
    this.#give(this.#underway);
    this.#client = undefined;
    this.#unsaid = undefined;
    this.#line.close(this);
  }

  write(message: MessageFromService): void {
    if (this.#client === undefined) return;
    if (this.#unsaid !== undefined) return void this.#unsaid.writes.push(message);
    const bytes = encodeServiceBody(message);
    this.#line.say(this.edgeId, encodeGuestFrame({ kind: 'write', n: this.n, bytes }));
  }

  #leave(to: string | undefined): void {
    if (this.#unsaid !== undefined) return;
    this.#line.say(this.edgeId, encodeGuestFrame({ kind: 'left', n: this.n, to }));
  }
}
