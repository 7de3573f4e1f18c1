import { AckStatus, ProtocolError } from '@trunkline/protocol';
import type { Answer, Asker } from '../model/asker.ts';
import type { Time } from '../ports/time.ts';
import type { HubDirectory } from '../sessions/hub-directory.ts';
import type { HubRuntime } from '../sessions/hub-runtime.ts';
import { decodeRulesPage } from './rules-page.ts';

/** How long clients of a hub wait for its rules. */
const PATIENCE_MS = 3_000;

export interface LearningWays {
  /** Asks an edge for some of a hub's rules, which may take so many milliseconds. */
  ask(hub: string, after: number, edgeId: string, asker: Asker, ms: number): void;
  /** Runs `then` when what others say to the hub is heard here. */
  whenHeard(hub: string, then: () => void): void;
}

/** Rules of one hub that are being learned. */
interface Learning {
  /** The edge that has been asked for its first page and has not answered: it tells all that it knows by then. */
  asked: string | undefined;
  /** Of whom something has been missed since, undefined: of anybody. They are asked next. */
  readonly missed: Set<string | undefined>;
}

/**
 * How an edge that takes up a hub learns what groups the hub's users were put into before, from whichever
 * other edge has the hub: those of one are those of all. After a gap, or a time in which one edge counted
 * as gone for the other, it learns from the edge of which something may have been missed.
 */
export class RuleLearning {
  readonly #hubs: HubDirectory;
  readonly #neighbours: { readonly edges: readonly string[] };
  readonly #time: Pick<Time, 'now'>;
  readonly #ways: LearningWays;
  readonly #learning = new Map<HubRuntime, Learning>();

  constructor(
    hubs: HubDirectory,
    neighbours: { readonly edges: readonly string[] },
    time: Pick<Time, 'now'>,
    ways: LearningWays,
  ) {
    this.#hubs = hubs;
    this.#neighbours = neighbours;
    this.#time = time;
    this.#ways = ways;
  }

  /** Rules of all hubs; `from`: of the edge to learn from, undefined: of any that has the hub. */
  learnAll(from?: string): void {
    for (const { name } of this.#hubs) this.learn(name, from);
  }

  /** Once what others say of the hub is heard here, or something could be missed in between. */
  learn(name: string, from?: string): void {
    this.#ways.whenHeard(name, () => {
      const hub = this.#hubs.get(name);
      if (hub !== undefined) this.#begin(hub, from);
    });
  }

  /** Begins now, or when what has begun already has ended. */
  #begin(hub: HubRuntime, from: string | undefined): void {
    const underway = this.#learning.get(hub);
    if (underway !== undefined) {
      if (from === undefined || underway.asked !== from) underway.missed.add(from);
      return;
    }
    this.#learning.set(hub, { asked: undefined, missed: new Set() });
    hub.model.beginLearning();
    const edges = from === undefined ? this.#neighbours.edges : [from];
    this.#next(hub, edges, 0, this.#time.now() + PATIENCE_MS);
  }

  #next(hub: HubRuntime, edges: readonly string[], after: number, deadline: number): void {
    const [edge, ...rest] = edges;
    const ms = deadline - this.#time.now();
    if (edge === undefined || ms <= 0) return this.#end(hub);
    const learning = this.#learning.get(hub)!;
    learning.asked = after === 0 ? edge : undefined;
    const settle = ({ status, payload }: Answer): void => {
      learning.asked = undefined;
      if (status !== AckStatus.Ok || payload === undefined) {
        return this.#next(hub, rest, 0, deadline);
      }
      const next = this.#learn(hub, payload);
      if (next === undefined) this.#end(hub);
      else this.#next(hub, edges, next, deadline);
    };
    this.#ways.ask(hub.name, after, edge, { settle }, ms);
  }

  /** Answers where the next page begins. */
  #learn(hub: HubRuntime, payload: Uint8Array): number | undefined {
    try {
      const { rules, next } = decodeRulesPage(payload);
      hub.model.learn(rules, this.#time.now());
      return next;
    } catch (error) {
      if (error instanceof ProtocolError) return undefined;
      throw error;
    }
  }

  #end(hub: HubRuntime): void {
    const { missed } = this.#learning.get(hub)!;
    this.#learning.delete(hub);
    hub.model.endLearning();
    hub.rulesAreKnown();
    for (const from of missed) this.#begin(hub, from);
  }
}
