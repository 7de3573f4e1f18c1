import { randomUUID } from 'node:crypto';
import type { MessageFromServer } from '@trunkline/protocol';
import { decodeServiceMessage, ProtocolError } from '@trunkline/protocol';
import type { Answer, Asker } from '../model/asker.ts';
import { NOT_FOUND } from '../model/asker.ts';
import { tagOf } from '../model/connection-id.ts';
import type { Audience } from '../model/effect.ts';
import type { Needs } from '../model/questions.ts';
import type { Bus, JoinBus } from '../ports/bus.ts';
import type { CoreContext } from '../sessions/core-context.ts';
import { handleDistantMessage } from '../sessions/distant-messages.ts';
import type { HubCluster, HubDirectory } from '../sessions/hub-directory.ts';
import type { Others } from '../sessions/others.ts';
import { Asking } from './asking.ts';
import type { ClusterFrame } from './cluster-frames.ts';
import { decodeClusterFrame, encodeClusterFrame } from './cluster-frames.ts';
import type { ClusterStats } from './cluster-stats.ts';
import { FollowedHubs, hubSubject } from './followed-hubs.ts';
import type { Change, Heartbeat } from './membership.ts';
import { Membership } from './membership.ts';

const MEMBERS = 'members';
/** How long other edges may take to answer, where nothing else is said. */
const ANSWER_MS = 3_000;

export interface ClusterOptions {
  readonly join: JoinBus;
  readonly stats: ClusterStats;
  /** Another edge, which is there for longer, has this one's id or tag. `why` is one line. */
  readonly refused: (why: string) => void;
}

/**
 * The other edges: who is there, what is said to them and asked of them, and what they say and ask.
 * Commands travel as the very service messages that app servers sent. What another edge says is carried
 * out here and goes no further, so nothing circles.
 */
export class Cluster implements HubCluster {
  readonly #context: CoreContext;
  readonly #hubs: HubDirectory;
  readonly #stats: ClusterStats;
  readonly #refused: (why: string) => void;
  readonly #membership: Membership;
  readonly #asking: Asking;
  readonly #bus: Bus;
  readonly #followed: FollowedHubs;
  #isUp = false;
  #isSettled = false;

  constructor(context: CoreContext, hubs: HubDirectory, { join, stats, refused }: ClusterOptions) {
    this.#context = context;
    this.#hubs = hubs;
    this.#stats = stats;
    this.#refused = refused;
    this.#membership = new Membership({
      edgeId: context.edgeId,
      incarnation: randomUUID(),
      startedAt: Math.round(context.clock.unixSeconds() * 1000),
      tag: context.clients.tag,
    });
    this.#asking = new Asking(context.pools, stats);
    this.#bus = join({
      message: (subject, from, bytes) => this.#receive(subject, from, bytes),
      gap: (from) => this.#asking.gap(from),
      gone: (edgeId) => this.#apply(this.#membership.lost(edgeId)),
      up: () => {
        this.#isUp = true;
        this.#publishHeartbeat(true);
      },
      down: () => {
        this.#isUp = false;
        this.#followed.giveUp();
      },
    });
    this.#followed = new FollowedHubs(this.#bus);
    this.#bus.subscribe(MEMBERS);
  }

  /** It has been part of the bus for a round of heartbeats, and knows who is there. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  follow(hub: string): void {
    this.#followed.add(hub);
    if (!this.#isUp) this.#followed.giveUp();
  }

  unfollow(hub: string): void {
    this.#followed.delete(hub);
  }

  othersOf(hub: string): Others {
    const membership = this.#membership;
    return {
      get edges() {
        return membership.edges;
      },
      tell: (to, body) => this.#tell(hub, to, body),
      ask: (to, needs, body, asker, ms) => this.#ask(hub, to, needs, body, asker, ms),
      whenHeard: (then) => this.#followed.whenHeard(hub, this.#context.clock.now(), then),
    };
  }

  /** `late`: how long this edge itself slept, in which nobody could be heard. */
  expire(now: number, late: number): void {
    if (this.#isUp) {
      this.#publishHeartbeat(false);
      this.#isSettled = true;
    }
    this.#followed.expire(now, late);
    this.#apply(this.#membership.expire(now, late));
    this.#asking.expire(now, late);
  }

  /** Says that this edge goes, and hears nothing any more. */
  async close(): Promise<void> {
    this.#bus.publish(MEMBERS, encodeClusterFrame({ kind: 'leaving' }));
    await this.#bus.close();
  }

  #tell(hub: string, to: Audience, body: Uint8Array): void {
    if (this.#membership.edges.length === 0) return;
    const frame = { kind: 'command', question: 0, hub, body } as const;
    if (to.kind === 'hub') return this.#bus.publish(hubSubject(hub), encodeClusterFrame(frame));
    for (const edgeId of this.#edgesOf(to)) this.#send(edgeId, frame);
  }

  #ask(
    hub: string,
    to: Audience,
    needs: Needs,
    body: Uint8Array,
    asker: Asker,
    ms = ANSWER_MS,
  ): () => void {
    const deadline = this.#context.clock.now() + ms;
    return this.#asking.ask(hub, this.#edgesOf(to), needs, asker, deadline, (edgeId, question) =>
      this.#send(edgeId, { kind: 'command', question, hub, body }),
    );
  }

  /** The others that are there of those that are meant. A connection is at the edge that minted its id. */
  #edgesOf(to: Audience): readonly string[] {
    const { edges } = this.#membership;
    if (to.kind === 'hub') return edges;
    if (to.kind === 'edge') return edges.filter((edgeId) => edgeId === to.id);
    const homes = new Set<string>();
    for (const id of to.ids) {
      const tag = tagOf(id);
      const home = tag && this.#membership.withTag(tag);
      if (home !== undefined) homes.add(home);
    }
    return [...homes];
  }

  #receive(subject: string, from: string, bytes: Uint8Array): void {
    try {
      const frame = decodeClusterFrame(bytes);
      if (frame?.kind === 'heartbeat') this.#heard(frame.beat, frame.isAsking);
      else if (frame !== undefined) this.#handle(frame, from);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const { code, message } = error;
      this.#context.digest.warn({ subject, code }, 'refused bus message', { from, err: message });
    }
  }

  #handle(frame: Exclude<ClusterFrame, { kind: 'heartbeat' }>, from: string): void {
    switch (frame.kind) {
      case 'command':
        return this.#carryOut(frame, from);
      case 'answer':
        return this.#asking.answered(frame.question, from, frame.answer);
      case 'leaving':
        return this.#apply(this.#membership.lost(from), true);
    }
  }

  #carryOut({ question, hub, body }: ClusterFrame & { kind: 'command' }, from: string): void {
    const answer = (outcome: Answer): void =>
      this.#send(from, { kind: 'answer', question, answer: outcome });
    const asker: Asker | undefined = question === 0 ? undefined : { settle: answer };
    const runtime = this.#hubs.get(hub);
    const message = decodeServiceMessage(body) as MessageFromServer | undefined;
    if (runtime === undefined || message === undefined) return asker?.settle(NOT_FOUND);
    handleDistantMessage(message, body, runtime, { edgeId: from, asker }, this.#context);
  }

  #heard(beat: Heartbeat, isAsking: boolean): void {
    this.#apply(this.#membership.heard(beat, this.#context.clock.now()));
    if (isAsking) this.#send(beat.edgeId, this.#heartbeat(false));
  }

  /** `isExpected`: the edge has said so itself. */
  #apply(changes: readonly Change[], isExpected = false): void {
    for (const change of changes) this.#change(change, isExpected);
    this.#stats.members = this.#membership.edges.length + 1;
  }

  #change(change: Change, isExpected: boolean): void {
    const { digest, results } = this.#context;
    switch (change.kind) {
      case 'joined':
        digest.info({ edge: change.edgeId }, 'edge joined');
        break;
      case 'lost':
        if (!isExpected) this.#stats.lost++;
        digest[isExpected ? 'info' : 'warn']({ edge: change.edgeId }, 'edge gone');
        this.#asking.edgeLost(change.edgeId);
        results.edgeLost(change.edgeId);
        break;
      case 'suspect':
        this.#send(change.edgeId, this.#heartbeat(true));
        break;
      case 'conflict':
        this.#refused(conflictText(change.with, change.what));
        break;
    }
  }

  #publishHeartbeat(isAsking: boolean): void {
    this.#bus.publish(MEMBERS, encodeClusterFrame(this.#heartbeat(isAsking)));
  }

  #heartbeat(isAsking: boolean): ClusterFrame {
    return { kind: 'heartbeat', beat: this.#membership.self, isAsking };
  }

  #send(edgeId: string, frame: ClusterFrame): void {
    this.#bus.send(edgeId, encodeClusterFrame(frame));
  }
}

function conflictText({ edgeId }: Heartbeat, what: 'id' | 'tag'): string {
  return what === 'id'
    ? `another edge of this cluster has the id '${edgeId}': give each edge an --edge-id of its own`
    : `edge '${edgeId}' happens to mint the same connection ids: start this edge again`;
}
