import { AckStatus, ProtocolError } from '@trunkline/protocol';
import type { Answer, Asker } from '../model/asker.ts';
import type { Time } from '../ports/time.ts';
import type { HubDirectory } from '../sessions/hub-directory.ts';
import type { HubRuntime } from '../sessions/hub-runtime.ts';
import { decodeRulesPage } from './rules-page.ts';

/** How long clients of a hub wait for its rules. */
const PATIENCE_MS = 3_000;
/** How long one edge is waited for when there is another one to be asked. */
const TURN_MS = 1_000;

export interface LearningWays {
  /** Asks an edge for some of a hub's rules, which may take so many milliseconds. */
  ask(hub: string, after: number, edgeId: string, asker: Asker, ms: number): void;
  /** Runs `then` when what others say to the hub is heard here. */
  whenHeard(hub: string, then: () => void): void;
}

/** Rules of one hub that are being learned. */
interface Learning {
  /** Of whom, undefined: of any edge that has the hub. */
  readonly from: string | undefined;
  /** The edge that has been asked for its first page and has not answered: it tells all that it knows by then. */
  asked: string | undefined;
  /** Of whom something has been missed since, undefined: of anybody. They are asked next. */
  readonly missed: Set<string | undefined>;
  /** The edge that is asked was not learning itself so far. */
  isWhole: boolean;
  /** An edge that may know them has not told them. */
  hasFailed: boolean;
}

/**
 * How an edge that takes up a hub learns what groups the hub's users were put into before, from whichever
 * other edge has the hub: those of one are those of all, unless it is learning itself. After a gap, or a time in which one edge counted
 * as gone for the other, it learns from the edge of which something may have been missed. What has
 * failed is tried again as long as there is somebody to be asked.
 */
export class RuleLearning {
  readonly #hubs: HubDirectory;
  readonly #neighbours: { readonly edges: readonly string[] };
  readonly #time: Pick<Time, 'now'>;
  readonly #ways: LearningWays;
  readonly #learning = new Map<HubRuntime, Learning>();
  /** Hubs whose rules have been learned once. */
  readonly #learned = new WeakSet<HubRuntime>();
  /** Of whom they are to be learned again, because it has failed. */
  readonly #failed = new Map<HubRuntime, Set<string | undefined>>();

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

  /** This edge knows the hub's rules, as far as it can know. */
  knows(hub: HubRuntime): boolean {
    return this.#learned.has(hub) && !this.#learning.has(hub) && !this.#failed.has(hub);
  }

  /** To be called about once a second: tries again what has failed. */
  expire(): void {
    // What fails again at once is for the next time.
    const failed = [...this.#failed];
    this.#failed.clear();
    for (const [hub, from] of failed) {
      if (this.#hubs.get(hub.name) === hub) for (const edgeId of from) this.#begin(hub, edgeId);
    }
  }

  /** Begins now, or when what has begun already has ended. */
  #begin(hub: HubRuntime, from: string | undefined): void {
    const underway = this.#learning.get(hub);
    if (underway !== undefined) {
      if (from === undefined || underway.asked !== from) underway.missed.add(from);
      return;
    }
    this.#learning.set(hub, {
      from,
      asked: undefined,
      missed: new Set(),
      isWhole: true,
      hasFailed: false,
    });
    hub.model.beginLearning();
    // Rules of one that is gone are those of the others, which have heard them as this one has.
    const { edges: all } = this.#neighbours;
    const edges = from === undefined ? all : all.filter((edgeId) => edgeId === from);
    this.#next(hub, edges, 0, this.#time.now() + PATIENCE_MS);
  }

  #next(hub: HubRuntime, edges: readonly string[], after: number, deadline: number): void {
    const [edge, ...rest] = edges;
    const ms = deadline - this.#time.now();
    const learning = this.#learning.get(hub)!;
    if (edge === undefined || ms <= 0) {
      return this.#end(hub, edge !== undefined || learning.hasFailed);
    }
    learning.asked = after === 0 ? edge : undefined;
    learning.isWhole ||= after === 0;
    const settle = ({ status, payload }: Answer): void => {
      learning.asked = undefined;
      if (status !== AckStatus.Ok || payload === undefined) {
        learning.hasFailed ||= status !== AckStatus.NotFound;
        return this.#next(hub, rest, 0, deadline);
      }
      const next = this.#learn(hub, payload);
      if (next !== undefined) this.#next(hub, edges, next, deadline);
      else if (learning.isWhole) this.#end(hub, false);
      else this.#next(hub, rest, 0, deadline);
    };
    const patience = rest.length === 0 ? ms : Math.min(ms, TURN_MS);
    this.#ways.ask(hub.name, after, edge, { settle }, patience);
  }

  /** Answers where the next page begins. What cannot be read has failed. */
  #learn(hub: HubRuntime, payload: Uint8Array): number | undefined {
    const learning = this.#learning.get(hub)!;
    try {
      const page = decodeRulesPage(payload);
      learning.isWhole &&= page.isWhole;
      hub.model.learn(page, this.#time.now());
      return page.next;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      learning.isWhole = false;
      learning.hasFailed = true;
      return undefined;
    }
  }

  #end(hub: HubRuntime, hasFailed: boolean): void {
    const { from: of, missed } = this.#learning.get(hub)!;
    this.#learning.delete(hub);
    this.#learned.add(hub);
    if (hasFailed) this.#failed.set(hub, (this.#failed.get(hub) ?? new Set()).add(of));
    hub.model.endLearning();
    hub.rulesAreKnown();
    for (const from of missed) this.#begin(hub, from);
  }
}
