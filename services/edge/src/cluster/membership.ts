import type { EdgeStatus } from './edge-status.ts';
import { NO_STATUS } from './edge-status.ts';

/** Which edge it is. */
export interface EdgeIdentity {
  readonly edgeId: string;
  /** Random for each start: the same edge started again is another member. */
  readonly incarnation: string;
  /** When it was started, in milliseconds since 1970, by its own clock. */
  readonly startedAt: number;
  /** The first characters of all connection ids that it mints. */
  readonly tag: string;
}

/** What an edge says of itself once a second. */
export interface Heartbeat extends EdgeIdentity {
  readonly status: EdgeStatus;
}

/** An edge that has not been heard for so long is asked whether it is there, and then is gone. */
export const SUSPECT_MS = 2_000;
export const DEAD_MS = 3_000;
/** So many edges are remembered at most when they have gone without a word. */
const MAX_GONE = 1_000;

interface Member {
  beat: Heartbeat;
  heardAt: number;
  isSuspect: boolean;
}

/** What a heartbeat, or the lack of some, means. */
export type Change =
  /** `isBack`: it was gone and is the same as before, so it was frozen or cut off, and either missed the other. */
  | { readonly kind: 'joined'; readonly edgeId: string; readonly isBack: boolean }
  | { readonly kind: 'lost'; readonly edgeId: string }
  /** Not heard for a while: to be asked. */
  | { readonly kind: 'suspect'; readonly edgeId: string }
  /** Another edge that is there for longer has this one's id or tag: this one has to go. */
  | { readonly kind: 'conflict'; readonly with: EdgeIdentity; readonly what: 'id' | 'tag' };

/**
 * The other edges that are there, as this one knows them. A state machine: times are milliseconds on
 * the clock of the caller, and whatever is to be done is answered as changes.
 */
export class Membership {
  readonly self: EdgeIdentity;
  readonly #members = new Map<string, Member>();
  readonly #byTag = new Map<string, string>();
  /** Those that have gone without a word, and may come back: by tag, the first that went first. */
  readonly #gone = new Map<string, EdgeIdentity>();
  #edges: readonly string[] = [];

  constructor(self: EdgeIdentity) {
    this.self = self;
  }

  /** The ids of the others. */
  get edges(): readonly string[] {
    return this.#edges;
  }

  /** No other edge is there, nor may one come back that was. */
  get isAlone(): boolean {
    return this.#members.size + this.#gone.size === 0;
  }

  /** The edge that mints ids with this tag, whether it is there or gone and may come back. */
  withTag(tag: string): string | undefined {
    return this.#byTag.get(tag) ?? this.#gone.get(tag)?.edgeId;
  }

  /** What an edge has last said of how it is. */
  statusOf(edgeId: string): EdgeStatus {
    return this.#members.get(edgeId)?.beat.status ?? NO_STATUS;
  }

  heard(beat: Heartbeat, now: number): Change[] {
    const conflict = this.#conflictWith(beat);
    if (conflict !== undefined) return conflict;
    const known = this.#members.get(beat.edgeId);
    if (known?.beat.incarnation === beat.incarnation) {
      known.beat = beat;
      known.heardAt = now;
      known.isSuspect = false;
      return [];
    }
    // The younger of two with one id goes; until it has gone, it counts for nothing.
    if (known !== undefined && isYounger(known.beat, beat)) return [];
    const isBack = this.#gone.get(beat.tag)?.incarnation === beat.incarnation;
    const changes = this.lost(beat.edgeId, true);
    this.#members.set(beat.edgeId, { beat, heardAt: now, isSuspect: false });
    this.#byTag.set(beat.tag, beat.edgeId);
    this.#list();
    return [...changes, { kind: 'joined', edgeId: beat.edgeId, isBack }];
  }

  /** An edge has gone, by its own word or the engine's. `forGood`: it does not come back. */
  lost(edgeId: string, forGood: boolean): Change[] {
    if (forGood) this.#forget(edgeId);
    const member = this.#members.get(edgeId);
    if (member === undefined) return [];
    this.#members.delete(edgeId);
    if (!forGood) this.#remember(member.beat);
    const { tag } = member.beat;
    if (this.#byTag.get(tag) === edgeId) this.#byTag.delete(tag);
    this.#list();
    return [{ kind: 'lost', edgeId }];
  }

  /** To be called about once a second. `late`: how long this edge itself slept, and heard nobody. */
  expire(now: number, late: number): Change[] {
    const changes: Change[] = [];
    for (const [edgeId, member] of this.#members) {
      // What was heard between that sleep and this call is not moved into the future.
      member.heardAt = Math.min(now, member.heardAt + late);
      const silent = now - member.heardAt;
      if (silent >= DEAD_MS) changes.push(...this.lost(edgeId, false));
      else if (silent >= SUSPECT_MS && !member.isSuspect) {
        member.isSuspect = true;
        changes.push({ kind: 'suspect', edgeId });
      }
    }
    return changes;
  }

  /** Undefined where there is none; no change at all where the other edge has to go. */
  #conflictWith(beat: Heartbeat): Change[] | undefined {
    const { self } = this;
    const sameId = beat.edgeId === self.edgeId;
    if (!sameId && beat.tag !== self.tag) return undefined;
    if (beat.incarnation === self.incarnation || isYounger(beat, self)) return [];
    return [{ kind: 'conflict', with: beat, what: sameId ? 'id' : 'tag' }];
  }

  #remember(beat: EdgeIdentity): void {
    this.#gone.set(beat.tag, beat);
    const [first] = this.#gone.keys();
    if (this.#gone.size > MAX_GONE) this.#gone.delete(first!);
  }

  #forget(edgeId: string): void {
    for (const [tag, beat] of this.#gone) if (beat.edgeId === edgeId) this.#gone.delete(tag);
  }

  #list(): void {
    this.#edges = [...this.#members.keys()].toSorted();
  }
}

function isYounger(one: EdgeIdentity, other: EdgeIdentity): boolean {
  return one.startedAt === other.startedAt
    ? one.incarnation > other.incarnation
    : one.startedAt > other.startedAt;
}
