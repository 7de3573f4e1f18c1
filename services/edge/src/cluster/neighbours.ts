import type { EdgeContext } from '../sessions/edge-context.ts';
import type { EndTimer } from '../ports/time.ts';
import type { ClusterFrame } from './cluster-frames.ts';
import type { ClusterStats } from './cluster-stats.ts';
import type { EdgeStatus } from './edge-status.ts';
import type { Change, EdgeIdentity } from './membership.ts';
import { Membership } from './membership.ts';

export interface NeighbourRules {
  /** Says a frame to all edges, or to one. */
  readonly say: (frame: ClusterFrame, edgeId?: string) => void;
  /** An edge is gone, and with it its clients and app servers. */
  readonly lost: (edgeId: string, end: EdgeEnd) => void;
  /** One is new, to this edge at least: what it has said before was not heard here. */
  readonly joined: (edgeId: string) => void;
  /** One that counted as gone is there as before: either may have missed what the other said to all. */
  readonly back: (edgeId: string) => void;
  /** Another edge, which is there for longer, has this one's id or tag. `why` is one line. */
  readonly refused: (why: string) => void;
  /** How this edge is now. */
  readonly status: () => EdgeStatus;
  /** An edge that is there has said how it is. */
  readonly told: (edgeId: string) => void;
  /** Random for each start. */
  readonly incarnation: string;
}

/** So long at most others do not know of a change that they are to know of at once. */
const CHANGE_MS = 50;

/**
 * How an edge has gone: it has ended, as it has said itself or its next start shows; the engine knows nobody
 * who hears what is said to it, so it is dead or cut off; or it says nothing, so it may be frozen as well.
 */
export type EdgeEnd = 'ended' | 'unheard' | 'silent';

/** Which other edges are there: says so of this one, hears it of others, and logs who comes and goes. */
export class Neighbours {
  readonly #context: EdgeContext;
  readonly #stats: ClusterStats;
  readonly #rules: NeighbourRules;
  readonly #membership: Membership;
  #endWaiting: EndTimer | undefined;

  constructor(context: EdgeContext, stats: ClusterStats, rules: NeighbourRules) {
    this.#context = context;
    this.#stats = stats;
    this.#rules = rules;
    this.#membership = new Membership({
      edgeId: context.edgeId,
      incarnation: rules.incarnation,
      startedAt: Math.round(context.time.unixSeconds() * 1000),
      tag: context.clients.tag,
    });
  }

  /** Their ids, in order. */
  get edges(): readonly string[] {
    return this.#membership.edges;
  }

  /** Nobody would hear this edge: no other one is there, nor may one come back. */
  get isAlone(): boolean {
    return this.#membership.isAlone;
  }

  /** The tag of the ids that this edge mints. */
  get tag(): string {
    return this.#membership.self.tag;
  }

  /** The edge that mints ids with a tag: one that is there, or has gone and may come back. */
  withTag(tag: string): string | undefined {
    return this.#membership.withTag(tag);
  }

  /** What an edge has last said of how it is. */
  statusOf(edgeId: string): EdgeStatus {
    return this.#membership.statusOf(edgeId);
  }

  /** How this edge is has changed, and somebody at another one may wait for that. */
  changed(): void {
    this.#endWaiting ??= this.#context.time.after(CHANGE_MS, () => {
      this.#endWaiting = undefined;
      this.announce(false);
    });
  }

  /** Nothing more is said. */
  close(): void {
    this.#endWaiting?.();
  }

  /** Says to all that this edge is there; `isAsking`: and wants to hear the same of them. */
  announce(isAsking: boolean): void {
    this.#rules.say(this.#heartbeat(isAsking));
  }

  heard({ beat, isAsking }: ClusterFrame & { kind: 'heartbeat' }): void {
    this.#apply(this.#membership.heard(beat, this.#context.time.now()));
    if (this.#membership.edges.includes(beat.edgeId)) this.#rules.told(beat.edgeId);
    if (isAsking) this.#rules.say(this.#heartbeat(false), beat.edgeId);
  }

  /** `isExpected`: the edge has said so itself. */
  gone(edgeId: string, isExpected = false): void {
    this.#apply(this.#membership.lost(edgeId, isExpected), isExpected ? 'ended' : 'unheard');
  }

  /** `late`: how long this edge itself slept, in which nobody could be heard. */
  expire(now: number, late: number): void {
    this.#apply(this.#membership.expire(now, late), 'silent');
  }

  #apply(changes: readonly Change[], end: EdgeEnd = 'ended'): void {
    for (const change of changes) this.#change(change, end);
    this.#stats.members = this.edges.length + 1;
  }

  #change(change: Change, end: EdgeEnd): void {
    const { digest } = this.#context;
    switch (change.kind) {
      case 'joined':
        digest.info({ edge: change.edgeId }, 'edge joined');
        if (change.isBack) this.#rules.back(change.edgeId);
        else this.#rules.joined(change.edgeId);
        break;
      case 'lost':
        if (end !== 'ended') this.#stats.lost++;
        digest[end === 'ended' ? 'info' : 'warn']({ edge: change.edgeId }, 'edge gone');
        this.#rules.lost(change.edgeId, end);
        break;
      case 'suspect':
        this.#rules.say(this.#heartbeat(true), change.edgeId);
        break;
      case 'conflict':
        this.#rules.refused(conflictText(change.with, change.what));
        break;
    }
  }

  #heartbeat(isAsking: boolean): ClusterFrame {
    return {
      kind: 'heartbeat',
      beat: { ...this.#membership.self, status: this.#rules.status() },
      isAsking,
    };
  }
}

function conflictText({ edgeId }: EdgeIdentity, what: 'id' | 'tag'): string {
  return what === 'id'
    ? `another edge of this cluster has the id '${edgeId}': give each edge an --edge-id of its own`
    : `edge '${edgeId}' happens to mint the same connection ids: start this edge again`;
}
