import type { RemoteHost } from './remote-host.ts';

/**
 * So many bytes of openings may be under way to one edge. Those of all clients that have lost one app
 * server, each with what it told of itself, would else fill the bus's queue in one turn, and what is
 * dropped there ends all that this edge has with others.
 */
const LINE_BYTES = 2 * 1024 * 1024;
/**
 * After so many calls of `expire` without an answer there will be none: what was said has been lost, or
 * could not be read. As long as clients wait for an app server, where nothing else is set.
 */
const MOST_CHECKS = 10;

/** What is said to one edge. */
interface OpeningLine {
  /** Those whose openings have not been said. */
  readonly waiting: Set<RemoteHost>;
  /** By number, in order: the bytes of those that have been said and not answered. */
  readonly unanswered: Map<number, number>;
  underWay: number;
  /** The first of the unanswered at the last call of `expire`, and how often it was that. */
  oldest: number | undefined;
  checks: number;
}

export interface OpeningRules {
  /** Says the opening to the host's edge, under a new number; answers that and how many bytes it has. */
  readonly say: (host: RemoteHost) => readonly [n: number, bytes: number];
  /** The bus is there: what is said is not only queued. */
  readonly isUp: () => boolean;
}

/** Openings of clients at other edges: said as fast as each of those answers them, in order. */
export class Openings {
  readonly #rules: OpeningRules;
  readonly #lines = new Map<string, OpeningLine>();

  constructor(rules: OpeningRules) {
    this.#rules = rules;
  }

  /** Says its opening, now or when it is its turn. */
  add(host: RemoteHost): void {
    this.#lineTo(host.edgeId).waiting.add(host);
    this.goOn(host.edgeId);
  }

  /** Its client does not wait any more. What has been said of it is under way all the same. */
  leave(host: RemoteHost): void {
    this.#lines.get(host.edgeId)?.waiting.delete(host);
  }

  /** The edge has answered that of this number, and so all before it: it answers in order. */
  answered(edgeId: string, number: number): void {
    const line = this.#lines.get(edgeId);
    if (line === undefined) return;
    for (const [n, bytes] of line.unanswered) {
      if (n > number) break;
      line.unanswered.delete(n);
      line.underWay -= bytes;
    }
    this.goOn(edgeId);
  }

  /** The edge is gone: answers those that waited, and have to go elsewhere. */
  edgeLost(edgeId: string): readonly RemoteHost[] {
    const waiting = [...(this.#lines.get(edgeId)?.waiting ?? [])];
    this.#lines.delete(edgeId);
    return waiting;
  }

  /** Says what waits for this edge, as far as there is room. */
  goOn(edgeId: string): void {
    const line = this.#lines.get(edgeId);
    if (line === undefined || !this.#rules.isUp()) return;
    for (const host of line.waiting) {
      if (line.underWay >= LINE_BYTES) return;
      line.waiting.delete(host);
      const [n, bytes] = this.#rules.say(host);
      line.unanswered.set(n, bytes);
      line.underWay += bytes;
    }
  }

  /** To be called about once a second. */
  expire(): void {
    for (const [edgeId, line] of this.#lines) {
      const [oldest] = line.unanswered.keys();
      line.checks = oldest === line.oldest ? line.checks + 1 : 1;
      line.oldest = oldest;
      if (line.checks > MOST_CHECKS) this.answered(edgeId, Infinity);
    }
  }

  #lineTo(edgeId: string): OpeningLine {
    const known = this.#lines.get(edgeId);
    if (known !== undefined) return known;
    const waiting = new Set<RemoteHost>();
    const unanswered = new Map<number, number>();
    const line = { waiting, unanswered, underWay: 0, oldest: undefined, checks: 0 };
    this.#lines.set(edgeId, line);
    return line;
  }
}
