import type { CloseReason } from '../sessions/close-reason.ts';
import { CLIENT_CLOSE_REASONS } from '../sessions/close-reason.ts';
import type { Guest } from '../sessions/guests.ts';
import type { Host, PooledHost } from '../sessions/host.ts';
import type { HubRuntime } from '../sessions/hub-runtime.ts';
import type { Introduction } from '../sessions/introduction.ts';
import type { Affinity } from '../sessions/served.ts';
import { QUIET_SECONDS } from '../sessions/served.ts';
import type { Transport } from '../sessions/transport.ts';
import { TRANSPORTS } from '../sessions/transport.ts';
import type { GuestEnd } from './cluster-stats.ts';
import type { GuestFrame, Opening } from './guest-frames.ts';
import { encodeFromHost, encodeGuestFrame } from './guest-frames.ts';
import { FRAME_BYTES, PIECE_BYTES, WINDOW_BYTES } from './remote-host.ts';

/** What has come is confirmed when it is so much, or a second is over: so few messages are confirmations. */
const CONFIRMED_BYTES = WINDOW_BYTES / 4;

/** What an app server may say to a guest in one piece: the longest message that a bus takes. */
const MOST_AT_ONCE = 16 * 1024 * 1024;

const NO_INTRODUCTION: Introduction = { tokenPayload: '', headers: [], queryString: '' };

/** What guests need of whoever keeps them. */
export interface GuestKeeper {
  /** The edge's clock in milliseconds, and its tick in seconds. */
  readonly now: number;
  readonly tick: number;
  /** Guests of which something has come that is not confirmed. */
  readonly unconfirmed: Set<ServedGuest>;
  /** `frame` is lent for the call. False where it is too long to be said. */
  say(edgeId: string, frame: Uint8Array): boolean;
  /** So many bytes were said to guests of the hub. */
  said(hub: string, bytes: number): void;
  /** The guest is served no more. */
  ended(guest: ServedGuest, why: GuestEnd): void;
}

type EndFrame = GuestFrame & { kind: 'closedByHost' | 'hostLost' | 'close' };

/** A client of another edge that a server connection of this one serves: its edge is told what it is told. */
export class ServedGuest implements Guest {
  readonly id: string;
  readonly edgeId: string;
  readonly n: number;
  readonly userId: string | undefined;
  readonly hub: HubRuntime;
  readonly transport: Transport;
  readonly affinity: Affinity;
  /** Kept until its app server has been told of it: whoever has it next is told by its edge. */
  introduction: Introduction;
  host: Host | undefined;
  placeAtHost = -1;
  owed = 0;
  owedEpoch = 0;
  ready: boolean;
  /** What runs only its own edge knows, so nobody here moves it to make places equal. */
  readonly isBusy = true;
  readonly #keeper: GuestKeeper;
  #server: PooledHost | undefined;
  /** Bytes that have come and are not confirmed. */
  #unconfirmed = 0;
  /** The tick at which its app server last said something, or its edge was told of silence. */
  #lastHeard: number;

  constructor(opening: Opening, edgeId: string, hub: HubRuntime, keeper: GuestKeeper) {
    const { id, n, userId, transport, introduction, sticky, serverId } = opening;
    this.id = id;
    this.edgeId = edgeId;
    this.n = n;
    this.userId = userId;
    this.hub = hub;
    this.transport = TRANSPORTS[transport];
    this.introduction = introduction;
    this.affinity = { sticky, serverName: sticky === 'Disabled' ? undefined : serverId };
    // One that moves has been open for long.
    this.ready = opening.migratedFrom !== undefined;
    this.#keeper = keeper;
    this.#lastHeard = keeper.tick;
  }

  /** The server connection that it was given to. */
  get server(): PooledHost | undefined {
    return this.#server;
  }

  openAt(server: PooledHost, { protocol, handshake, migratedFrom }: Opening): void {
    this.#server = server;
    server.open(this, protocol, handshake, migratedFrom);
    this.introduction = NO_INTRODUCTION;
  }

  /** What the client says. */
  fromClient(bytes: Uint8Array, count: number): void {
    if (this.#unconfirmed === 0) this.#keeper.unconfirmed.add(this);
    this.#unconfirmed += bytes.length + FRAME_BYTES;
    this.host?.forward(this, bytes, count);
    if (this.#unconfirmed >= CONFIRMED_BYTES) this.resumed();
  }

  /** Confirms what has come, unless the server connection is full: then its edge is to hold back, too. */
  resumed(): void {
    if (this.#unconfirmed === 0 || this.host === undefined || this.host.isFull) return;
    this.#say({ kind: 'taken', n: this.n, bytes: this.#unconfirmed });
    this.#unconfirmed = 0;
    this.#keeper.unconfirmed.delete(this);
  }

  /** The client's handshake response is out. */
  welcomed(): void {
    this.ready = true;
    this.host?.welcomed(this);
  }

  fromHost(payload: Uint8Array): void {
    this.#lastHeard = this.#keeper.tick;
    const { length } = payload;
    // More than a bus holds at all. A client of this edge would be too slow for it.
    if (length > MOST_AT_ONCE) return this.close(CLIENT_CLOSE_REASONS.slowClient);
    this.#keeper.said(this.hub.name, length);
    for (let at = 0; at < length; at += PIECE_BYTES) {
      const piece = length <= PIECE_BYTES ? payload : payload.subarray(at, at + PIECE_BYTES);
      this.#keeper.say(this.edgeId, encodeFromHost(this.n, piece));
    }
  }

  answered(body: Uint8Array): void {
    this.#say({ kind: 'answered', n: this.n, bytes: body });
  }

  closedByHost(error: string): void {
    this.host?.release(this);
    this.#end('closed_by_app_server', { kind: 'closedByHost', n: this.n, error });
  }

  hostLost({ isDeparting }: Host): void {
    this.#end('app_server_lost', { kind: 'hostLost', n: this.n, isDeparting });
  }

  /** One whose handshake response is not out is told when it is. */
  moveAway(by: number): void {
    if (!this.ready) return;
    const ms = Math.max(0, Math.round(by - this.#keeper.now));
    this.#say({ kind: 'moveAway', n: this.n, ms });
  }

  pingIfQuietSince(tick: number): void {
    if (!this.ready || this.#lastHeard > tick) return;
    this.#lastHeard = tick + QUIET_SECONDS;
    this.#say({ kind: 'quiet', n: this.n });
  }

  close(reason: CloseReason, error?: string): void {
    if (this.host === undefined) return;
    this.host.clientGone(this);
    this.#end('closed', { kind: 'close', n: this.n, reason: reason.label, error });
  }

  /** Its edge says that it has ended, or, with `to`, leaves for that app server. */
  left(to: string | undefined): void {
    if (to === undefined) this.host?.clientGone(this);
    else this.host?.handOver(this, to);
    this.#keeper.ended(this, to === undefined ? 'client_gone' : 'moved');
  }

  /** Its edge is out of reach: for its app server it has ended. */
  lost(why: GuestEnd): void {
    this.host?.clientGone(this);
    this.#keeper.ended(this, why);
  }

  #end(why: GuestEnd, frame: EndFrame): void {
    this.#keeper.ended(this, why);
    // An app server may give more of a reason than a bus takes: the client ends all the same.
    if (!this.#say(frame) && 'error' in frame) this.#say({ ...frame, error: '' });
  }

  #say(frame: Parameters<typeof encodeGuestFrame>[0]): boolean {
    return this.#keeper.say(this.edgeId, encodeGuestFrame(frame));
  }
}
