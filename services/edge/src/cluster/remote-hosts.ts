import { decodeServiceMessage, MessageType } from '@trunkline/protocol';
import type { CloseReason } from '../sessions/close-reason.ts';
import { CLIENT_CLOSE_REASONS } from '../sessions/close-reason.ts';
import type { CoreContext } from '../sessions/core-context.ts';
import type { Host } from '../sessions/host.ts';
import type { HubClient } from '../sessions/hub-client.ts';
import type { HubDirectory } from '../sessions/hub-directory.ts';
import type { Served } from '../sessions/served.ts';
import { NOBODY_KNOWS, type Where } from '../sessions/server/lost-connections.ts';
import { QUIET_SECONDS } from '../sessions/served.ts';
import type { ClusterStats } from './cluster-stats.ts';
import type { ForOwner } from './guest-frames.ts';
import type { HostDirectory } from './host-directory.ts';
import type { RemoteLine } from './remote-host.ts';
import type { EdgeEnd } from './neighbours.ts';
import { Openings } from './openings.ts';
import { RemoteHost } from './remote-host.ts';
import { Stranded } from './stranded.ts';

/** An edge that is cut off has noticed by then, and ended the clients of others: silence counts after 3 s. */
const CUT_OFF_MS = 5_000;
/** What may be on its way to other edges for all clients before their hosts there count as full. */
const MOST_UNDERWAY = 8 * 1024 * 1024;

/** What leads to other edges. */
export interface Line {
  /** `frame` is lent for the call. False where it is too long to be said. */
  send(edgeId: string, frame: Uint8Array): boolean;
  /** The bus is there: clients may be given to others. */
  isUp(): boolean;
  /** So many bytes were said to clients of other edges by app servers of the hub. */
  said(hub: string, bytes: number): void;
}

/** The hosts at other edges that clients of this edge have. */
export class RemoteHosts implements RemoteLine {
  readonly #context: CoreContext;
  readonly #hubs: HubDirectory;
  readonly #stats: ClusterStats;
  readonly #directory: HostDirectory;
  readonly #line: Line;
  readonly #byNumber = new Map<number, RemoteHost>();
  readonly #stranded: Stranded;
  readonly #openings: Openings;
  /** The number that the next one gets. */
  #next: number;
  #isResuming = false;

  /** `first`: the number of the first, another one for each start of the edge. */
  constructor(
    context: CoreContext,
    hubs: HubDirectory,
    stats: ClusterStats,
    directory: HostDirectory,
    first: number,
    line: Line,
  ) {
    this.#context = context;
    this.#hubs = hubs;
    this.#stats = stats;
    this.#directory = directory;
    this.#next = first;
    this.#line = line;
    this.#stranded = new Stranded(context);
    this.#openings = new Openings({
      say: (host) => this.#sayOpening(host),
      isUp: () => line.isUp(),
    });
  }

  /** Clients of this edge that app servers of others serve. Who comes meanwhile is among them, too. */
  *clients(): Generator<HubClient, void> {
    for (const { client } of this.#byNumber.values()) if (client !== undefined) yield client;
  }

  /** Numbers from here on have not been given. */
  get next(): number {
    return this.#next;
  }

  /** A host for a client: of this server id where one is given. */
  hostFor(hub: string, { id }: Served, serverId?: string): Host | undefined {
    const runtime = this.#hubs.get(hub);
    if (runtime === undefined) return undefined;
    const { servers } = runtime;
    const found = this.#directory.choose(
      hub,
      (host) =>
        (serverId === undefined || host.serverId === serverId) &&
        !servers.remembersAt(host.edgeId, host.serverId, id),
    );
    return found && new RemoteHost(found, runtime, this);
  }

  open(host: RemoteHost): void {
    this.#directory.given(host.hub.name, host);
    this.#openings.add(host);
  }

  /** It has its number only now: whatever ends the line before has nothing to do with it. */
  #sayOpening(host: RemoteHost): readonly [n: number, bytes: number] {
    const n = this.#next++;
    this.#byNumber.set(n, host);
    this.#stats.remoteClients++;
    return [n, host.sayOpening(n)];
  }

  close(host: RemoteHost): void {
    this.#openings.leave(host);
    if (this.#byNumber.delete(host.n)) this.#stats.remoteClients--;
  }

  say(edgeId: string, frame: Uint8Array): void {
    this.#line.send(edgeId, frame);
  }

  /**
   * At the end of the turn: what gives room is often the end of a client, or its way to another host, and
   * posts that are passed on in the middle of that would find it between two hosts.
   */
  resumed(): void {
    if (this.#isResuming) return;
    this.#isResuming = true;
    const { heldPosts, time } = this.#context;
    time.endOfTurn(() => {
      this.#isResuming = false;
      heldPosts.resume(time.now());
    });
  }

  take(client: HubClient, bytes: number): boolean {
    return this.#context.intake.remoteClients.take(client, bytes);
  }

  give(client: HubClient, bytes: number): void {
    const wasFull = this.isFull;
    this.#context.intake.remoteClients.give(client, bytes);
    if (wasFull && !this.isFull) this.resumed();
  }

  get isFull(): boolean {
    return this.#context.intake.remoteClients.used > MOST_UNDERWAY;
  }

  handle(frame: ForOwner, from: string): void {
    if (frame.kind === 'placed' || frame.kind === 'noRoom') this.#openings.answered(from, frame.n);
    const host = this.#byNumber.get(frame.n);
    const client = host?.client;
    // Its client has left it meanwhile.
    if (host?.edgeId !== from || client === undefined) return;
    switch (frame.kind) {
      case 'fromHost':
        return client.fromHost(frame.bytes);
      case 'taken':
        return host.taken(frame.bytes);
      case 'placed':
        host.placed(frame);
        return client.hostTook(host);
      case 'noRoom':
        this.#directory.refused(host.hub.name, host);
        return this.#offerElsewhere(host, client);
      case 'closedByHost':
        return client.closedByHost(frame.error);
      case 'hostLost':
        host.isDeparting ||= frame.isDeparting;
        // What its edge tells of it next may come after its clients have been given to another one.
        this.#directory.refused(host.hub.name, host);
        return this.#lose(host, client);
      case 'moveAway':
        host.isDeparting = true;
        this.#directory.refused(host.hub.name, host);
        host.hub.servers.lostAt(host.edgeId, host, client);
        return client.moveAway(this.#context.time.now() + frame.ms);
      case 'close':
        host.release(client);
        return client.close(reasonOf(frame.reason), frame.error);
      case 'answered':
        return this.#answered(frame.bytes, host);
      case 'quiet':
        client.pingIfQuietSince(this.#context.tick - QUIET_SECONDS);
    }
  }

  /**
   * An edge is gone: its app servers are lost to the clients here, until they dial another one. Where it may
   * only be cut off, it tells them itself that these clients have gone, a while later; where it may be
   * frozen, nobody does, and to dial another edge is no sign of that.
   */
  edgeLost(edgeId: string, end: EdgeEnd): void {
    const { time } = this.#context;
    const ends: Record<EdgeEnd, Where> = {
      ended: edgeId,
      unheard: time.now() + CUT_OFF_MS,
      silent: NOBODY_KNOWS,
    };
    const unopened = this.#openings.edgeLost(edgeId);
    const lost = this.#at(edgeId);
    for (const [host, client] of lost) this.#lose(host, client, ends[end]);
    for (const host of unopened) if (host.client) this.#offerElsewhere(host, host.client);
    if (end !== 'unheard' || lost.length === 0) return;
    time.after(CUT_OFF_MS, () => {
      for (const hub of this.#hubs) hub.assignWaiting();
    });
  }

  /**
   * What is said to an edge or by it has a hole, and its app servers go on. What one still says to a client
   * that it had could not be told from what it says to the same client later: so another process has it
   * next, or else the client is to connect again, under a new id (`Stranded`). Hosts with numbers from
   * `below` on are not over. `edges`: all others.
   */
  lineLost(edgeId: string, below: number, edges: readonly string[]): void {
    const awaited = this.#line.isUp() ? [] : edges;
    this.#openings.answered(edgeId, below - 1);
    for (const [host, client] of this.#at(edgeId)) {
      if (host.n >= below) continue;
      this.#lose(host, client, NOBODY_KNOWS);
      if (host.hub.waiting.has(client)) this.#stranded.add(client, host.hub, awaited);
    }
  }

  /** The edge may be heard again: clients that wait for their turn there get it. */
  goOn(edgeId: string): void {
    this.#openings.goOn(edgeId);
  }

  /** To be called about once a second. */
  expire(): void {
    this.#openings.expire();
  }

  /** An edge has told how it is, and been given those who waited for it; or it is gone. */
  heardOf(edgeId: string): void {
    this.#stranded.heardOf(edgeId);
  }

  /** A copy: who is given to the same edge anew is not lost. */
  #at(edgeId: string): (readonly [RemoteHost, HubClient])[] {
    return [...this.#byNumber.values()].flatMap((host) =>
      host.edgeId === edgeId && host.client !== undefined ? [[host, host.client] as const] : [],
    );
  }

  /** `where`: the edge that knows by itself when the process may have the client again. */
  #lose(host: RemoteHost, client: Served, where: Where = host.edgeId): void {
    host.release(client);
    host.hub.servers.lostAt(where, host, client);
    client.hostLost(host);
  }

  /** No app server has been told of the client: nothing is lost by giving it to another one. */
  #offerElsewhere(host: RemoteHost, client: Served): void {
    host.release(client);
    client.hostLost(host);
  }

  #answered(body: Uint8Array, host: RemoteHost): void {
    const message = decodeServiceMessage(body);
    if (message?.type !== MessageType.ClientCompletion) return;
    this.#context.results.complete(message, body, host, this.#context);
  }
}

const REASONS: readonly CloseReason[] = Object.values(CLIENT_CLOSE_REASONS);

function reasonOf(label: string): CloseReason {
  const { serverConnectionClosed } = CLIENT_CLOSE_REASONS;
  return REASONS.find((reason) => reason.label === label) ?? serverConnectionClosed;
}
