import type { Payloads } from '@trunkline/protocol';
import type { Answer, Asker } from '../model/asker.ts';
import { DONE, NOT_FOUND } from '../model/asker.ts';
import type { Command } from '../model/command.ts';
import type { Effect } from '../model/effect.ts';
import { Hub } from '../model/hub.ts';
import type { Room } from '../model/user-group-rules.ts';
import type { MigrationPolicy } from './migration-policy.ts';
import type { TransportLabel } from './transport.ts';
import type { CloseReason } from './close-reason.ts';
import { CLIENT_CLOSE_REASONS } from './close-reason.ts';
import { deliver } from './delivery.ts';
import type { ClientContext } from './client/client-context.ts';
import type { Host, PooledHost } from './host.ts';
import type { HubClient } from './hub-client.ts';
import type { Others } from './others.ts';
import type { Served } from './served.ts';
import { Offers } from './server/offers.ts';
import { MAY_BE_DYING_MS } from './server/lost-connections.ts';
import { Reinforcements } from './server/reinforcements.ts';
import { ServerPool } from './server/server-pool.ts';
import { inSlices } from './slices.ts';

/** Other edges tell within 50 ms of an app server that has come to them. */
const NEWS_MS = 500;
/** What a client is told whose token requires one app server, when that has gone. */
const SERVER_GONE = 'The app server of this client has gone. Connect again.';

/** One hub on this edge: its model, its server connections, and the clients that wait for one. */
export class HubRuntime {
  readonly name: string;
  readonly model: Hub<HubClient>;
  readonly servers: ServerPool;
  readonly waiting = new Set<HubClient>();
  /** Those of them that require an app server which may be dying, or not be known here yet. */
  readonly #waitingShortly = new WeakSet<HubClient>();
  /** Client connections by transport. */
  readonly connections: Record<TransportLabel, number> = {
    webSockets: 0,
    serverSentEvents: 0,
    longPolling: 0,
  };
  /** The edges beside this one. */
  readonly others: Others;
  readonly #context: ClientContext;
  readonly #reinforcements: Reinforcements;
  #holdsForRules = false;

  /** `room`: what the rules of its users may take. */
  constructor(name: string, context: ClientContext, others: Others, room: Room) {
    this.name = name;
    this.#context = context;
    this.servers = new ServerPool(context.time, new Offers(name, context.digest));
    this.others = others;
    this.#reinforcements = new Reinforcements(name, context);
    const find = (id: string): HubClient | undefined => {
      const client = context.clients.get(id);
      return client?.hub === this && client.place >= 0 ? client : undefined;
    };
    this.model = new Hub(name, find, room, others.interest, context.changes);
  }

  get migration(): MigrationPolicy {
    return this.#context.policies.of(this.name).migration;
  }

  /** Nobody is connected, and nothing is kept for who comes. */
  isIdle(now: number): boolean {
    const clients = Object.values(this.connections).some((count) => count > 0);
    return !clients && this.servers.size === 0 && this.model.isEmpty(now);
  }

  /** Clients wait until the rules of other edges are known here, so that none misses a group of its user. */
  holdForRules(): void {
    this.#holdsForRules = true;
  }

  rulesAreKnown(): void {
    this.#holdsForRules = false;
    this.assignWaiting();
  }

  /** Gives the client to a server connection now, or as soon as there is one that it can have. */
  assign(client: HubClient): void {
    if (this.#holdsForRules) return void this.waiting.add(client);
    const host = this.choose(client) ?? this.#upstreamFor(client);
    if (host === undefined) return this.#await(client);
    this.waiting.delete(client);
    client.serveFrom(host);
  }

  /**
   * What is to serve the client: the app server that it sticks to, wherever that is; else one of this
   * edge, and only if that has none, one of another.
   */
  choose(client: Served): Host | undefined {
    const { sticky, serverName } = client.affinity;
    const here = this.servers.choose(client);
    if (sticky === 'Disabled') return here ?? this.others.hostFor(client);
    const isNamed = serverName === undefined || here?.serverId === serverName;
    const named = isNamed ? here : this.#namedElsewhere(client, serverName);
    return sticky === 'Preferred' ? (named ?? here ?? this.others.hostFor(client)) : named;
  }

  #namedElsewhere(client: Served, serverId: string): Host | undefined {
    if (this.servers.mayBeDyingFor(client)) return undefined;
    return this.others.hostFor(client, serverId);
  }

  #isGoneFor(client: HubClient): boolean {
    const { serverName } = client.affinity;
    const isElsewhere = serverName !== undefined && this.others.serves(serverName);
    return this.servers.isGoneFor(client) && !isElsewhere;
  }

  /** An app server is connected, here or to another edge, though it may take no more clients. */
  get hasAppServer(): boolean {
    return this.servers.carriesClients || this.others.serves();
  }

  /** What serves the client in place of app servers, while there is none and the hub's policy is so. */
  #upstreamFor({ affinity }: HubClient): PooledHost | undefined {
    if (this.hasAppServer || affinity.sticky === 'Required') return undefined;
    return this.#context.serverless.hostFor(this.name);
  }

  get #refuses(): boolean {
    const { withoutServer } = this.#context.policies.of(this.name);
    return withoutServer === 'refuse' && !this.hasAppServer;
  }

  #await(client: HubClient): void {
    if (this.#isGoneFor(client)) return this.#awaitNews(client);
    if (this.#refuses) return client.turnAway();
    this.waiting.add(client);
    this.#reinforcements.ask(this.servers);
    if (this.servers.mayBeDyingFor(client)) this.#awaitShortly(client, MAY_BE_DYING_MS);
  }

  /** Its app server is not there; but it may have dialled another edge this moment, and sent the client. */
  #awaitNews(client: HubClient): void {
    if (this.others.edges.length === 0) return client.turnAway(SERVER_GONE);
    this.waiting.add(client);
    this.#awaitShortly(client, NEWS_MS);
  }

  /** Soon its app server is there, or has another connection than the one that it lost, or the client goes. */
  #awaitShortly(client: HubClient, ms: number): void {
    if (this.#waitingShortly.has(client)) return;
    this.#waitingShortly.add(client);
    this.#context.time.after(ms, () => {
      this.#waitingShortly.delete(client);
      if (this.waiting.has(client)) this.assign(client);
      // The process may still have it on its books, or has lost yet another connection.
      if (this.waiting.has(client)) client.turnAway(SERVER_GONE);
    });
  }

  /** A server connection has come: whoever waits may have found a place. */
  serverReady(server: PooledHost): void {
    this.servers.add(server);
    this.others.hostsChanged();
    this.assignWaiting();
  }

  /** A server connection is lost. */
  serverGone(server: PooledHost): void {
    this.servers.delete(server);
    this.others.hostsChanged();
    this.lookAgain();
  }

  /** A server connection is about to go with its process. */
  serverLeaves(server: PooledHost): void {
    this.servers.leaves(server);
    this.others.hostsChanged();
    this.lookAgain();
  }

  /** A server connection has become full. */
  serverFilled(): void {
    this.others.hostsChanged();
  }

  /** One that was full takes clients again. */
  serverHasRoom(): void {
    this.others.hostsChanged();
    this.assignWaiting();
  }

  /** Asks a process that serves clients of another edge here for a connection more, which may land there. */
  askForOneMore(server: PooledHost, edgeId: string): void {
    this.#reinforcements.askOne(server, this.servers, edgeId);
  }

  /** An app server has gone, here or at another edge: some clients may have waited for that process alone. */
  lookAgain(): void {
    for (const client of this.waiting) {
      if (client.affinity.sticky === 'Required') this.#await(client);
    }
  }

  assignWaiting(): void {
    for (const client of this.waiting) this.assign(client);
  }

  closeAll(reason: CloseReason): void {
    // A copy: closing takes members out of the list.
    for (const member of this.model.members.slice()) member.close(reason);
  }

  /**
   * Executes a command and performs its effects. `body` is the service message that says the same, for
   * other edges; undefined where it comes from one of them, and goes no further. The asker, where there is
   * one, is told before this returns, unless others have to be asked first.
   */
  execute(command: Command, body: Uint8Array | undefined, whoAsks?: Asker): void {
    let asker = whoAsks && this.#askerOf(command, whoAsks);
    let found = true;
    let asksOthers = false;
    // A send is the same at any time, and a look at the clock for each of very many is much.
    const now = command.kind === 'send' ? 0 : this.#context.time.now();
    const origin = body === undefined ? 'bus' : 'local';
    for (const effect of this.model.execute(command, origin, now)) {
      if (effect.kind === 'answer') ({ found } = effect);
      else if (effect.kind === 'deliver') this.deliver(effect.members, effect.payloads);
      else if (effect.kind === 'close') asker = this.#close(effect, asker);
      else if (body === undefined) continue;
      else if (asker === undefined || effect.needs === 'nothing') this.others.tell(effect.to, body);
      else {
        asksOthers = true;
        this.others.ask(effect.to, effect.needs, body, asker);
      }
    }
    if (!asksOthers) asker?.settle(found ? DONE : NOT_FOUND);
  }

  /** An acked join means that the next send reaches the group, whichever edge that comes from. */
  #askerOf({ kind }: Command, asker: Asker): Asker {
    if (kind !== 'join' && kind !== 'joinUser' && kind !== 'filtered') return asker;
    return { settle: (answer) => this.others.whenHeard(() => asker.settle(answer)) };
  }

  /** Sends each of them the payload of its hub protocol. */
  deliver(members: readonly HubClient[], payloads: Payloads): void {
    deliver(members, payloads, this.#context);
  }

  /** Thousands take a while; who asks is told when the last one is closed. */
  #close(
    { members, reason }: Effect<HubClient> & { kind: 'close' },
    asker: Asker | undefined,
  ): Asker | undefined {
    let isDone = false;
    let answer: Answer | undefined;
    const close = (member: HubClient): true => {
      member.close(CLIENT_CLOSE_REASONS.closedByAppServer, reason);
      return true;
    };
    inSlices(this.#context.time, members, close, () => {
      isDone = true;
      if (answer !== undefined) asker?.settle(answer);
    });
    if (isDone || asker === undefined) return asker;
    return {
      settle: (given) => {
        if (isDone) asker.settle(given);
        else answer = given;
      },
    };
  }
}
