import { OldestKey } from '@trunkline/protocol';
import { tagOf } from '../model/connection-id.ts';
import type { EdgeStatus } from './edge-status.ts';

/** So many connections at most are known by their edge; one takes 150 bytes. */
const MAX_LOCATED = 50_000;
/** So many tags at most are remembered of edges whose connections may be anywhere. */
const MAX_TAGS = 1_000;

/** What it takes to know of the other edges. */
export interface Minters {
  readonly edges: readonly string[];
  /** The tag of all ids that this edge mints. */
  readonly tag: string;
  withTag(tag: string): string | undefined;
  statusOf(edgeId: string): Pick<EdgeStatus, 'handsOver'>;
}

/**
 * Where connections are that are not here. A connection is at one edge as long as it lives: the one
 * that has minted its id, unless a claim has taken it elsewhere. Whoever sends to it says so to that
 * edge, or to all that have the hub, so that all of one sender's messages come to it on one line, in
 * their order; no edge hands them on.
 */
export class Whereabouts {
  readonly #minters: Minters;
  readonly #handsOver: () => boolean;
  readonly #edgeOfGuest: (id: string) => string | undefined;
  /** Edge by connection id, the one that was longest not used first. */
  readonly #located = new Map<string, string>();
  readonly #oldestLocated = new OldestKey(this.#located);
  /** Tags of ids that have been claimed, or taken over, from their edge. */
  readonly #scattered = new Set<string>();
  readonly #oldestScattered = new OldestKey(this.#scattered);

  /**
   * `handsOver`: ids of this edge may be elsewhere. `edgeOfGuest`: the edge of a connection that an app
   * server of this one serves.
   */
  constructor(
    minters: Minters,
    handsOver: () => boolean,
    edgeOfGuest: (id: string) => string | undefined,
  ) {
    this.#minters = minters;
    this.#handsOver = handsOver;
    this.#edgeOfGuest = edgeOfGuest;
  }

  /** Those other edges that have these connections, if they live; undefined: any edge may have one. */
  edgesOf(ids: readonly string[]): ReadonlySet<string> | undefined {
    const edges = new Set<string>();
    for (const id of ids) {
      const edge = this.#edgeOf(id);
      if (edge === undefined) return undefined;
      if (edge !== NOWHERE) edges.add(edge);
    }
    return edges;
  }

  /** The edge, which is there now, that mints ids with this tag. */
  homeOf(tag: string): string | undefined {
    const home = this.#minters.withTag(tag);
    return home !== undefined && this.#minters.edges.includes(home) ? home : undefined;
  }

  /** The connection is at that edge. */
  located(id: string, edgeId: string): void {
    this.#located.delete(id);
    this.#located.set(id, edgeId);
    if (this.#located.size > MAX_LOCATED) this.#located.delete(this.#oldestLocated.next()!);
  }

  /** Connections whose ids have this tag may be at any edge from now on. */
  scattered(tag: string): void {
    this.#scattered.add(tag);
    if (this.#scattered.size > MAX_TAGS) this.#scattered.delete(this.#oldestScattered.next()!);
  }

  get scatteredTags(): readonly string[] {
    return [...this.#scattered];
  }

  edgeLost(edgeId: string): void {
    for (const [id, edge] of this.#located) if (edge === edgeId) this.#located.delete(id);
  }

  #edgeOf(id: string): string | undefined {
    const tag = tagOf(id);
    if (tag === undefined) return NOWHERE;
    const own = this.#edgeOfGuest(id);
    if (own !== undefined) return own;
    const known = this.#located.get(id);
    if (known !== undefined) {
      this.located(id, known);
      return known;
    }
    if (tag === this.#minters.tag) return this.#handsOver() ? undefined : NOWHERE;
    if (this.#scattered.has(tag)) return undefined;
    // Of an edge that has just been started, or is gone, nobody knows who has them.
    const home = this.homeOf(tag);
    return home === undefined || this.#minters.statusOf(home).handsOver ? undefined : home;
  }
}

/** No edge has that id. */
const NOWHERE = '';
