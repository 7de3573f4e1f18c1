import { ProtocolError } from '@trunkline/protocol';
import type { Asker } from '../model/asker.ts';
import { TOO_LONG } from '../model/asker.ts';
import type { Audience } from '../model/effect.ts';
import { NO_INTEREST } from '../model/interest.ts';
import type { Bus, BusListener, GapCause, JoinBus } from '../ports/bus.ts';
import type { CoreContext } from '../sessions/core-context.ts';
import type { HubCluster, HubDirectory } from '../sessions/hub-directory.ts';
import type { Others } from '../sessions/others.ts';
import type { Affinity, Served } from '../sessions/served.ts';
import { Answering } from './answering.ts';
import { Asking } from './asking.ts';
import { BusRoom } from './bus-room.ts';
import { Claims } from './claims.ts';
import type { ClusterFrame, HeardFrame } from './cluster-frames.ts';
import { decodeClusterFrame, encodeClusterFrame } from './cluster-frames.ts';
import type { ClusterStats } from './cluster-stats.ts';
import { EdgeList } from './edge-list.ts';
import { Commands } from './commands.ts';
import { FollowedHubs } from './followed-hubs.ts';
import { isGuestFrame } from './guest-frames.ts';
import { GuestLines } from './guest-lines.ts';
import { DEAD_MS } from './membership.ts';
import type { EdgeEnd, NeighbourRules } from './neighbours.ts';
import { Neighbours } from './neighbours.ts';
import { OwnStatus } from './own-status.ts';
import { Redirects } from './redirects.ts';
import { decodeRelayFrame } from './relay-frames.ts';
import { Relays } from './relays.ts';
import { RuleLearning } from './rule-learning.ts';
import { Settling } from './settling.ts';
import { Whereabouts } from './whereabouts.ts';

/** What all edges hear. */
const MEMBERS = 'members';
/**
 * How long other edges may take to answer, where nothing else is said: a little longer than it takes to
 * see that one has died (CLUSTER 1.4), whose last heartbeat may be under way when it is asked.
 */
const ANSWER_MS = DEAD_MS + 100;

export interface ClusterOptions {
  readonly join: JoinBus;
  readonly stats: ClusterStats;
  /** Another edge, which is there for longer, has this one's id or tag. `why` is one line. */
  readonly refused: (why: string) => void;
  /** No other edge can be on this bus. */
  readonly isAlone: boolean;
  /** Where clients reach this edge and no other; empty where there is no such address. */
  readonly publicUrl: string;
  /** Random for each start of an edge. */
  readonly incarnation: string;
}

/**
 * The other edges: what is said to them and asked of them, and what they say and ask. Commands travel
 * as the very service messages that app servers sent. What another edge says is carried out here and
 * goes no further, so nothing circles.
 */
export class Cluster implements HubCluster {
  /** Connections that come with ids of other edges. */
  readonly claims: Claims;
  readonly #context: CoreContext;
  readonly #hubs: HubDirectory;
  readonly #isAlone: boolean;
  readonly #neighbours: Neighbours;
  readonly #asking: Asking;
  readonly #own: OwnStatus;
  readonly #whereabouts: Whereabouts;
  readonly #commands: Commands;
  readonly #redirects: Redirects;
  readonly #edgeList: EdgeList;
  readonly #bus: Bus;
  readonly #room = new BusRoom(() => this.#bus.waiting - this.#context.intake.remoteClients.used);
  readonly #followed: FollowedHubs;
  readonly #rules: RuleLearning;
  readonly #answering: Answering;
  readonly #settling: Settling;
  /** Requests that land at an edge which does not have their connection. */
  readonly relays: Relays;
  readonly #guests: GuestLines;
  /** Hubs that were taken up while the bus was down: nobody has told their rules. */
  readonly #untold = new Set<string>();

  constructor(context: CoreContext, hubs: HubDirectory, options: ClusterOptions) {
    const { join, stats, isAlone, publicUrl, incarnation } = options;
    this.#context = context;
    this.#hubs = hubs;
    this.#isAlone = isAlone;
    this.#settling = new Settling(context.time, isAlone, () => this.#rules.learnAll());
    this.#own = new OwnStatus(publicUrl, () => context.clients.size, hubs);
    this.#asking = new Asking(context.pools, stats, context.time, (now) =>
      this.#neighbours.expire(now, 0),
    );
    this.#neighbours = new Neighbours(context, stats, this.#listening(options));
    this.#whereabouts = new Whereabouts(
      this.#neighbours,
      () => this.#own.handsOver,
      (id) => context.guests.get(id)?.edgeId,
    );
    const ways = {
      edges: () => this.#neighbours.edges,
      asking: this.#asking,
      whereabouts: this.#whereabouts,
      say: (frame: ClusterFrame, edgeId: string) => this.#say(frame, edgeId),
    };
    const send = (edgeId: string, bytes: Uint8Array, rest?: Uint8Array): boolean =>
      this.#send(edgeId, bytes, rest);
    const said = (hub: string, bytes: number): void => this.#room.said(hub, bytes);
    this.#commands = new Commands({
      ...ways,
      send,
      said,
      publish: (subject, head, body) => this.#bus.publish(subject, head, body),
      refuses: (bytes) => this.#bus.refuses(bytes),
      digest: context.digest,
    });
    this.claims = new Claims(context, {
      ...ways,
      isAlone,
      settling: this.#settling,
      own: this.#own,
      stats,
      patienceMs: ANSWER_MS,
    });
    const isUp = (): boolean => this.#settling.isUp;
    const line = { send, isUp, said };
    this.#guests = new GuestLines(context, hubs, stats, this.#neighbours, incarnation, line);
    this.#redirects = new Redirects(this.#own, this.#neighbours, hubs);
    this.#edgeList = new EdgeList(context.edgeId, this.#own, this.#neighbours);
    this.#bus = join(this.#hearing());
    this.#followed = new FollowedHubs(this.#bus, isUp, context.time);
    this.#rules = new RuleLearning(hubs, this.#neighbours, context.time, {
      ask: (...question) => this.#askForRules(...question),
      whenHeard: (hub, then) => this.#followed.whenHeard(hub, then),
    });
    this.#answering = new Answering(context, hubs, {
      rules: this.#rules,
      say: ways.say,
    });
    this.relays = new Relays(context, stats, { send, edges: ways.edges, isCutOff: () => !isUp() });
    this.#bus.subscribe(MEMBERS);
  }

  /** What becomes of what others are heard to say of themselves, or not. */
  #listening({ refused, incarnation }: ClusterOptions): NeighbourRules {
    return {
      say: (frame, edgeId) => this.#say(frame, edgeId),
      lost: (edgeId, end) => this.#lost(edgeId, end),
      joined: (edgeId) => this.#joined(edgeId),
      back: (edgeId) => this.#back(edgeId),
      status: () => this.#own.read(),
      told: (edgeId) => {
        this.#redirects.heard(edgeId);
        this.#edgeList.changed();
        this.#guests.told(edgeId);
      },
      refused,
      incarnation,
    };
  }

  #hearing(): BusListener {
    return {
      message: (subject, from, bytes) => this.#receive(subject, from, bytes),
      together: (hear) => this.#context.outbox.during(hear),
      gap: (from, why) => this.#missed(from, why),
      gone: (edgeId) => this.#neighbours.gone(edgeId),
      up: () => this.#up(),
      down: () => this.#down(),
    };
  }

  /** It has been part of the bus for a round of heartbeats, and knows who is there. */
  get isSettled(): boolean {
    return this.#settling.isSettled;
  }

  /** The other edge whose connection ids have that tag, if it is there. */
  homeOf(tag: string): string | undefined {
    return this.#whereabouts.homeOf(tag);
  }

  /** Clients of this edge that app servers of others serve. */
  away(): Iterator<Served, void> {
    return this.#guests.away();
  }

  /** The URL of another edge where such a new client of the hub is better off, if there is one. */
  betterFor(hub: string, affinity: Affinity): string | undefined {
    return this.#redirects.better(hub, affinity);
  }

  /** This edge is about to stop, or is so no more: the others learn it at once. */
  drains(isDraining: boolean): void {
    this.#own.isDraining = isDraining;
    this.#edgeList.changed();
    if (!this.#isAlone) this.#neighbours.changed();
  }

  follow(hub: string): void {
    if (this.#isAlone) return;
    this.#followed.follow(hub);
    if (!this.#settling.isUp) return void this.#untold.add(hub);
    // Its clients wait for the rules of its users, and before that for the round that shows who has them.
    this.#hubs.get(hub)?.holdForRules();
    if (this.isSettled) this.#rules.learn(hub);
  }

  unfollow(hub: string): void {
    this.#followed.unfollow(hub);
    this.#untold.delete(hub);
  }

  othersOf(hub: string): Others {
    const neighbours = this.#neighbours;
    const guests = this.#guests;
    const edgeList = this.#edgeList;
    const room = this.#room;
    return {
      get edges() {
        return neighbours.edges;
      },
      get hasClients() {
        return neighbours.edges.some((id) => neighbours.statusOf(id).clientHubs.includes(hub));
      },
      get known() {
        return edgeList.known;
      },
      get haveRoom() {
        return room.isFor(hub);
      },
      tell: (to, body) => this.#tell(hub, to, body),
      ask: (to, needs, body, asker, ms = ANSWER_MS) =>
        this.#commands.ask(to, { hub, needs, body, asker, ms }),
      interest: this.#isAlone ? NO_INTEREST : this.#followed.interestOf(hub),
      whenHeard: (then) => this.#followed.whenHeard(hub, then),
      // Without the bus nobody new is given to others: what waits for it may be lost.
      hostFor: (client, serverId) =>
        this.#settling.isUp ? guests.hostFor(hub, client, serverId) : undefined,
      serves: (serverId) => guests.serves(hub, serverId),
      hostsChanged: () => {
        if (this.#settling.isUp && !this.#isAlone) neighbours.changed();
      },
    };
  }

  /** `late`: how long this edge itself slept, in which nobody could be heard. */
  expire(now: number, late: number): void {
    if (this.#isAlone) return;
    if (this.#settling.isUp) this.#neighbours.announce(false);
    this.#followed.expire(now, late);
    this.#neighbours.expire(now, late);
    this.claims.expire(now);
    this.#guests.expire();
    if (this.#settling.isUp) this.#rules.expire();
    this.relays.expire(now, late);
  }

  /** Says that this edge goes, and hears nothing any more. */
  async close(): Promise<void> {
    if (!this.#isAlone) this.#say({ kind: 'leaving' });
    this.#asking.close();
    this.#neighbours.close();
    this.#settling.close();
    await this.#bus.close();
  }

  #up(): void {
    this.#settling.up();
    if (this.#isAlone) return;
    this.#neighbours.announce(true);
    // Before it has settled for the first time it learns of all hubs then.
    if (this.isSettled) for (const hub of this.#untold) this.#rules.learn(hub);
    this.#untold.clear();
  }

  #down(): void {
    this.#settling.down();
    for (const edgeId of this.#neighbours.edges) this.relays.lost(edgeId);
    // Clients and app servers of this edge go on with each other.
    this.#followed.giveUp();
    for (const hub of this.#hubs) hub.rulesAreKnown();
  }

  /** Something that an edge has said may be lost, undefined: any edge; rules of users among it. */
  #missed(from: string | undefined, why: GapCause): void {
    this.#asking.gap(from);
    this.relays.gap(from);
    // Nothing of a process that has ended is still to come.
    if (why === 'restarted' && from !== undefined) this.#guests.replaced(from);
    else this.#guests.gap(from);
    this.#relearn(from);
  }

  #joined(edgeId: string): void {
    this.claims.joined(edgeId);
    this.#relearn(edgeId);
  }

  /** One of the two was frozen or cut off: what either was told of rules meanwhile went past the other. */
  #back(edgeId: string): void {
    this.#say({ kind: 'passedOver' }, edgeId);
    this.#guests.gap(edgeId);
    this.#joined(edgeId);
  }

  #askForRules(hub: string, after: number, edgeId: string, asker: Asker, ms: number): void {
    this.#asking.ask(hub, [edgeId], 'anyFound', asker, ms, (edge, question) =>
      this.#say({ kind: 'rules', question, hub, after }, edge),
    );
  }

  #relearn(from: string | undefined): void {
    if (!this.isSettled) return;
    const edges = from === undefined ? this.#neighbours.edges : [from];
    for (const edgeId of edges) this.#rules.learnAll(edgeId);
  }

  #lost(edgeId: string, end: EdgeEnd): void {
    this.#edgeList.changed();
    this.#whereabouts.edgeLost(edgeId);
    this.#asking.edgeLost(edgeId);
    this.relays.lost(edgeId);
    this.#context.results.edgeLost(edgeId);
    this.#guests.edgeLost(edgeId, end);
  }

  #tell(hub: string, to: Audience, body: Uint8Array): void {
    // Those that count as gone may come back: they hear it then, or that they have missed something.
    if (this.isSettled && this.#neighbours.isAlone) return;
    this.#commands.tell(hub, to, body);
  }

  /** To one edge, or to all. */
  #say(frame: ClusterFrame, edgeId?: string): void {
    const bytes = encodeClusterFrame(frame);
    if (edgeId === undefined) this.#bus.publish(MEMBERS, bytes);
    else if (!this.#send(edgeId, bytes) && frame.kind === 'answer') {
      this.#say({ ...frame, answer: TOO_LONG }, edgeId);
    }
  }

  /**
   * False for what is longer than a bus takes, as an app server can have it said. It would be a loss for all
   * that hear this edge, of every hub, where it is one for whom it is for alone.
   */
  #send(edgeId: string, bytes: Uint8Array, rest?: Uint8Array): boolean {
    const length = bytes.length + (rest?.length ?? 0);
    if (this.#bus.refuses(length)) {
      this.#context.digest.warn({ edgeId }, 'not said to another edge: too long', {
        bytes: length,
      });
      return false;
    }
    this.#bus.send(edgeId, bytes, rest);
    return true;
  }

  #receive(subject: string, from: string, bytes: Uint8Array): void {
    try {
      if (isGuestFrame(bytes)) return this.#guests.receive(bytes, from);
      const frame = decodeClusterFrame(bytes);
      if (frame !== undefined) return this.#handle(frame, from, subject);
      const ofRelay = decodeRelayFrame(bytes);
      if (ofRelay !== undefined) this.relays.hear(from, ofRelay, bytes.length);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const { code, message } = error;
      this.#context.digest.warn({ subject, code }, 'refused bus message', { from, err: message });
    }
  }

  #handle(frame: HeardFrame, from: string, subject: string): void {
    switch (frame.kind) {
      case 'command':
        return this.#answering.carryOut(frame, from, subject);
      case 'rules':
        return this.#answering.tellRules(frame, from);
      case 'answer':
        return this.#asking.answered(frame.question, from, frame.answer);
      case 'heartbeat':
        return this.#neighbours.heard(frame);
      case 'leaving':
        return this.#neighbours.gone(from, true);
      case 'passedOver':
        this.relays.lost(from);
        return this.#relearn(from);
      case 'claim':
      case 'scattered':
      case 'located':
        return this.claims.heard(frame, from);
    }
  }
}
