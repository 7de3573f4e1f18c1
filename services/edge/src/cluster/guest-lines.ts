import type { CoreContext } from '../sessions/core-context.ts';
import type { Host } from '../sessions/host.ts';
import type { HubDirectory } from '../sessions/hub-directory.ts';
import type { Served } from '../sessions/served.ts';
import type { ClusterStats } from './cluster-stats.ts';
import type { GuestFrame } from './guest-frames.ts';
import { decodeGuestFrame, encodeGuestFrame } from './guest-frames.ts';
import type { EdgeEnd } from './neighbours.ts';
import type { Statuses } from './host-directory.ts';
import { HostDirectory } from './host-directory.ts';
import { HostedGuests } from './hosted-guests.ts';
import type { Line } from './remote-hosts.ts';
import { RemoteHosts } from './remote-hosts.ts';

/**
 * Clients whose app server is at another edge, on both sides: those of this edge that are served
 * elsewhere, and those of others that are served here. The line between two edges is whole or it is over:
 * whoever misses something of the other ends all that goes over it and says so.
 */
export class GuestLines {
  readonly #hubs: HubDirectory;
  readonly #statuses: Statuses;
  readonly #line: Line;
  readonly #directory: HostDirectory;
  readonly #remote: RemoteHosts;
  readonly #guests: HostedGuests;
  /** Edges that have not answered this one's `lineLost`, and the number that it was said with. */
  readonly #unanswered = new Map<string, number>();

  /** `incarnation`: in hexadecimal, another one for each start of the edge. */
  constructor(
    context: CoreContext,
    hubs: HubDirectory,
    stats: ClusterStats,
    statuses: Statuses,
    incarnation: string,
    line: Line,
  ) {
    this.#hubs = hubs;
    this.#statuses = statuses;
    this.#line = line;
    this.#directory = new HostDirectory(statuses);
    const first = Number.parseInt(incarnation.slice(0, 6), 16);
    this.#remote = new RemoteHosts(context, hubs, stats, this.#directory, first, line);
    this.#guests = new HostedGuests(context, hubs, stats, line);
  }

  hostFor(hub: string, client: Served, serverId?: string): Host | undefined {
    return this.#remote.hostFor(hub, client, serverId);
  }

  /** Clients of this edge that are served at others. */
  away(): Iterator<Served, void> {
    return this.#remote.clients();
  }

  serves(hub: string, serverId?: string): boolean {
    return this.#directory.serves(hub, serverId);
  }

  /** Throws ProtocolError for what is no frame. */
  receive(bytes: Uint8Array, from: string): void {
    const frame = decodeGuestFrame(bytes);
    if (frame !== undefined) this.#handle(frame, from);
  }

  /** An edge has told how it is: whoever waits may have found an app server there, or waits in vain. */
  told(edgeId: string): void {
    this.#directory.forget(edgeId);
    for (const hub of this.#hubs) {
      if (hub.waiting.size === 0) continue;
      if (this.#directory.hasRoom(edgeId, hub.name)) hub.assignWaiting();
      else hub.lookAgain();
    }
    // What it says while this edge settles helps nobody: it is asked again as soon as this one is up.
    if (!this.#line.isUp()) return;
    this.#remote.goOn(edgeId);
    this.#remote.heardOf(edgeId);
  }

  edgeLost(edgeId: string, end: EdgeEnd): void {
    this.#unanswered.delete(edgeId);
    this.#directory.forget(edgeId);
    this.#guests.edgeLost(edgeId, 'edge_lost');
    this.#remote.edgeLost(edgeId, end);
    for (const hub of this.#hubs) hub.lookAgain();
    this.#remote.heardOf(edgeId);
  }

  /**
   * Another process says that it is that edge. The one before has ended, most of the time; should it live,
   * as beside one that was started under its id by mistake, it is to know that nothing of it counts here.
   */
  replaced(edgeId: string): void {
    const { next } = this.#remote;
    this.#say('lineLost', edgeId, next);
    this.edgeLost(edgeId, 'ended');
    this.#unanswered.set(edgeId, next);
  }

  /** Something that an edge has said may be lost, undefined: any edge; or it missed what was said to it. */
  gap(from: string | undefined): void {
    const edges =
      from === undefined
        ? new Set([...this.#statuses.edges, ...this.#guests.edges])
        : new Set([from]);
    for (const edgeId of edges) {
      const { next } = this.#remote;
      // Before anything else is said to it, as to give it the same clients anew.
      this.#say('lineLost', edgeId, next);
      this.#unanswered.set(edgeId, next);
      this.#end(edgeId, Infinity, next);
    }
  }

  /** To be called about once a second. */
  expire(): void {
    this.#remote.expire();
    this.#guests.expire((edgeId, hub) => {
      const { isDraining, hubs } = this.#statuses.statusOf(edgeId);
      return isDraining || hubs.some(({ name }) => name === hub);
    });
  }

  #handle(frame: GuestFrame, from: string): void {
    switch (frame.kind) {
      case 'lineLost':
        return this.#endedBy(from, frame.n);
      case 'over':
        this.#unanswered.delete(from);
        return this.#guests.edgeLost(from, 'line_lost', frame.n);
      case 'open':
        // Nothing would say that its guests are over: that was said when it went.
        if (!this.#statuses.edges.includes(from)) return this.#guests.refuse(frame, from);
        return this.#guests.handle(frame, from);
      case 'toHost':
      case 'welcomed':
      case 'left':
      case 'write':
        return this.#guests.handle(frame, from);
      default:
        this.#remote.handle(frame, from);
    }
  }

  /**
   * An edge has ended the line. Where it has not answered this edge's own `lineLost`, it had heard neither
   * that nor any client that was given to it since: those stay. But only once, because where that own word
   * is what it has missed, it will not answer it.
   */
  #endedBy(edgeId: string, n: number): void {
    const below = this.#unanswered.get(edgeId) ?? this.#remote.next;
    this.#unanswered.delete(edgeId);
    this.#say('over', edgeId, below);
    this.#end(edgeId, n, below);
  }

  /** What went over the line to an edge is over: its clients with numbers below `theirs`, and `ours` of this one's. */
  #end(edgeId: string, theirs: number, ours: number): void {
    this.#guests.edgeLost(edgeId, 'line_lost', theirs);
    for (const { servers } of this.#hubs) servers.lineLost(edgeId);
    this.#remote.lineLost(edgeId, ours, this.#statuses.edges);
  }

  #say(kind: 'lineLost' | 'over', edgeId: string, n: number): void {
    this.#line.send(edgeId, encodeGuestFrame({ kind, n }));
  }
}
