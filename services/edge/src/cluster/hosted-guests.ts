import type { MessageFromService } from '@trunkline/protocol';
import { decodeServiceMessage } from '@trunkline/protocol';
import type { CoreContext } from '../sessions/core-context.ts';
import type { PooledHost } from '../sessions/host.ts';
import type { HubDirectory } from '../sessions/hub-directory.ts';
import type { HubRuntime } from '../sessions/hub-runtime.ts';
import type { ClusterStats, GuestEnd } from './cluster-stats.ts';
import { ServedGuest } from './guest.ts';
import type { GuestKeeper } from './guest.ts';
import type { ForHostEdge, Opening, Placed } from './guest-frames.ts';
import { encodeGuestFrame } from './guest-frames.ts';
import type { Line } from './remote-hosts.ts';

/** How often those are asked for a connection more that serve clients of an edge without app servers, in calls of `expire`. */
const ASK_EVERY = 10;
/** How often a process is asked for one edge, at most: no balancer leads it there, it seems. */
const MOST_ASKED = 5;

/** Clients of other edges that app servers of this edge serve. */
export class HostedGuests implements GuestKeeper {
  readonly #context: CoreContext;
  readonly #hubs: HubDirectory;
  readonly #stats: ClusterStats;
  readonly #line: Line;
  readonly unconfirmed = new Set<ServedGuest>();
  /** By their edge, and number. */
  readonly #byEdge = new Map<string, Map<number, ServedGuest>>();
  /** By edge: how often which process was asked for a connection to that edge. */
  readonly #asked = new Map<string, Map<string, number>>();
  #expired = 0;

  constructor(context: CoreContext, hubs: HubDirectory, stats: ClusterStats, line: Line) {
    this.#context = context;
    this.#hubs = hubs;
    this.#stats = stats;
    this.#line = line;
  }

  get now(): number {
    return this.#context.time.now();
  }

  get tick(): number {
    return this.#context.tick;
  }

  say(edgeId: string, frame: Uint8Array): boolean {
    return this.#line.send(edgeId, frame);
  }

  said(hub: string, bytes: number): void {
    this.#line.said(hub, bytes);
  }

  handle(frame: ForHostEdge, from: string): void {
    if (frame.kind === 'open') return this.#open(frame, from);
    const guest = this.#byEdge.get(from)?.get(frame.n);
    // It has ended meanwhile.
    if (guest === undefined) return;
    switch (frame.kind) {
      case 'toHost':
        return guest.fromClient(frame.bytes, frame.count);
      case 'welcomed':
        return guest.welcomed();
      case 'left':
        return guest.left(frame.to);
      case 'write': {
        const message = decodeServiceMessage(frame.bytes) as MessageFromService | undefined;
        // An edge of a newer version may know more of them.
        if (message !== undefined) guest.host?.write(message);
      }
    }
  }

  /** There is no app server here for a client of that edge. */
  refuse({ n }: Opening, edgeId: string): void {
    this.#stats.guestEnds.refused++;
    this.say(edgeId, encodeGuestFrame({ kind: 'noRoom', n }));
  }

  /** An edge is gone, or what it says has a hole: its clients with numbers below `n` have ended here. */
  edgeLost(edgeId: string, why: GuestEnd, n = Infinity): void {
    for (const guest of this.#byEdge.get(edgeId)?.values() ?? []) {
      if (guest.n < n) guest.lost(why);
    }
  }

  /** The edges that have clients here. */
  get edges(): readonly string[] {
    return [...this.#byEdge.keys()];
  }

  /** To be called about once a second. `needsNone`: that edge has app servers of the hub itself, or goes. */
  expire(needsNone: (edgeId: string, hub: string) => boolean): void {
    // Else what a client has said would count as on its way for as long as it says little.
    for (const guest of this.unconfirmed) guest.resumed();
    if (++this.#expired % ASK_EVERY === 0) this.#endDetours(needsNone);
  }

  ended(guest: ServedGuest, why: GuestEnd): void {
    const { edgeId, n } = guest;
    const ofEdge = this.#byEdge.get(edgeId);
    if (ofEdge?.delete(n) !== true) return;
    if (ofEdge.size === 0) this.#byEdge.delete(edgeId);
    this.unconfirmed.delete(guest);
    this.#context.guests.delete(guest.id);
    this.#context.pacedCloses.delete(guest);
    this.#stats.guests--;
    this.#stats.guestEnds[why]++;
  }

  #open(opening: Opening, edgeId: string): void {
    const { id, n, serverId } = opening;
    const hub = this.#hubs.get(opening.hub);
    const guest = hub && new ServedGuest(opening, edgeId, hub, this);
    const server = guest && hub.servers.chooseNamed(guest, serverId);
    if (guest === undefined || server === undefined || this.#context.guests.get(id) !== undefined) {
      return this.refuse(opening, edgeId);
    }
    const ofEdge = this.#byEdge.get(edgeId) ?? new Map<number, ServedGuest>();
    this.#byEdge.set(edgeId, ofEdge.set(n, guest));
    this.#context.guests.add(guest);
    this.#stats.guests++;
    this.say(edgeId, encodeGuestFrame(placedAt(server, n)));
    guest.openAt(server, opening);
  }

  /**
   * Asks for a server connection more where clients of an edge are served that has none for their hub
   * itself: through a balancer it lands there sooner or later, and the next clients need no detour.
   */
  #endDetours(needsNone: (edgeId: string, hub: string) => boolean): void {
    for (const edgeId of this.#asked.keys()) {
      if (!this.#byEdge.has(edgeId)) this.#asked.delete(edgeId);
    }
    for (const [edgeId, guests] of this.#byEdge) {
      const hubs = new Set<HubRuntime>();
      for (const { hub, server } of guests.values()) {
        if (server === undefined || hubs.has(hub)) continue;
        hubs.add(hub);
        if (!needsNone(edgeId, hub.name)) this.#askForOneMore(hub, server, edgeId);
      }
    }
  }

  #askForOneMore(hub: HubRuntime, server: PooledHost, edgeId: string): void {
    const asked = this.#asked.get(edgeId) ?? new Map<string, number>();
    this.#asked.set(edgeId, asked);
    const times = asked.get(server.serverId) ?? 0;
    if (times >= MOST_ASKED) return;
    asked.set(server.serverId, times + 1);
    hub.askForOneMore(server, edgeId);
  }
}

function placedAt({ serverId, migrationLevel, software }: PooledHost, n: number): Placed {
  return { kind: 'placed', n, serverId, migrationLevel, software };
}
