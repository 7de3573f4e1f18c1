import { AckStatus, ProtocolError } from '@trunkline/protocol';
import type { Answer, Asker } from '../model/asker.ts';
import type { EndTimer, Time } from '../ports/time.ts';
import type { HubDirectory } from '../sessions/hub-directory.ts';
import type { HubRuntime } from '../sessions/hub-runtime.ts';
import { LearningQueues, TURN_MS } from './learning-queues.ts';
import { decodeRulesPage } from './rules-page.ts';

/** How long clients of a hub wait for its rules; and how long an edge may take to tell them from its turn on. */
const PATIENCE_MS = 3_000;

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
  /**
   * Of whom something has been missed since, undefined: of anybody. They are asked next, but for an edge
   * whose first page comes after that: it tells all that it knows by then.
   */
  readonly missed: Set<string | undefined>;
  /** The edge that is asked was not learning itself so far. */
  isWhole: boolean;
  /** An edge that may know them has not told them. */
  hasFailed: boolean;
  /** Clients go on without the rules after a time, also where the hub waits for its turn at an edge. */
  readonly endPatience: EndTimer;
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
  readonly #time: Pick<Time, 'now' | 'after' | 'endOfTurn'>;
  readonly #ways: LearningWays;
  readonly #queues: LearningQueues;
  readonly #learning = new Map<HubRuntime, Learning>();
  /** Hubs whose rules have been learned once. */
  readonly #learned = new WeakSet<HubRuntime>();
  /** Of whom they are to be learned again, because it has failed. */
  readonly #failed = new Map<HubRuntime, Set<string | undefined>>();

  constructor(
    hubs: HubDirectory,
    neighbours: { readonly edges: readonly string[] },
    time: Pick<Time, 'now' | 'after' | 'endOfTurn'>,
    ways: LearningWays,
  ) {
    this.#hubs = hubs;
    this.#neighbours = neighbours;
    this.#time = time;
    this.#ways = ways;
    this.#queues = new LearningQueues(time);
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
    if (underway !== undefined) return void underway.missed.add(from);
    const { edges: all } = this.#neighbours;
    // What has come while this edge slept is read before its clients go on without it.
    const letGo = (): void => this.#time.endOfTurn(() => hub.rulesAreKnown());
    this.#learning.set(hub, {
      from,
      missed: new Set(),
      isWhole: false,
      hasFailed: false,
      endPatience: this.#time.after(PATIENCE_MS, letGo),
    });
    // Rules of one that is gone are those of the others, which have heard them as this one has.
    this.#ask(hub, from === undefined ? all : all.filter((edgeId) => edgeId === from));
  }

  /** Asks the first of these edges at the hub's turn there, and those behind it if that one does not tell all. */
  #ask(hub: HubRuntime, edges: readonly string[]): void {
    const [edge, ...rest] = edges;
    const learning = this.#learning.get(hub)!;
    if (edge === undefined) return this.#end(hub, learning.hasFailed);
    const begin = (): void => {
      if (this.#neighbours.edges.includes(edge)) return this.#askFirstPage(hub, edges);
      this.#queues.leave(edge);
      this.#ask(hub, rest);
    };
    const giveUp = (): void => {
      learning.hasFailed = true;
      this.#ask(hub, rest);
    };
    this.#queues.enter(edge, begin, rest.length === 0 ? undefined : giveUp);
  }

  #askFirstPage(hub: HubRuntime, edges: readonly string[]): void {
    this.#learning.get(hub)!.isWhole = true;
    // Removals of an edge before, which has not told all, are dropped: rules of this one do not come behind those.
    hub.model.beginLearning();
    this.#askPage(hub, edges, 0, this.#time.now() + PATIENCE_MS);
  }

  #askPage(hub: HubRuntime, edges: readonly string[], after: number, deadline: number): void {
    const [edge, ...rest] = edges as [string, ...string[]];
    const ms = deadline - this.#time.now();
    if (ms <= 0) {
      this.#queues.leave(edge);
      return this.#end(hub, true);
    }
    const settle = (answer: Answer): void => {
      const next = this.#hear(hub, answer, after === 0 ? edge : undefined);
      if (next !== undefined) return this.#askPage(hub, edges, next, deadline);
      this.#queues.leave(edge);
      if (this.#learning.get(hub)!.isWhole) this.#end(hub, false);
      else this.#ask(hub, rest);
    };
    const patience = rest.length === 0 ? ms : Math.min(ms, TURN_MS);
    this.#ways.ask(hub.name, after, edge, { settle }, patience);
  }

  /** Answers where the next page begins. `first`: the edge whose first page it is. */
  #hear(hub: HubRuntime, { status, payload }: Answer, first?: string): number | undefined {
    const learning = this.#learning.get(hub)!;
    if (status === AckStatus.Ok && payload !== undefined) return this.#learn(hub, payload, first);
    learning.isWhole = false;
    learning.hasFailed ||= status !== AckStatus.NotFound;
    return undefined;
  }

  /** Answers where the next page begins. What cannot be read has failed. */
  #learn(hub: HubRuntime, payload: Uint8Array, first?: string): number | undefined {
    const learning = this.#learning.get(hub)!;
    try {
      const page = decodeRulesPage(payload);
      learning.isWhole &&= page.isWhole;
      hub.model.learn(page, this.#time.now());
      if (first !== undefined) learning.missed.delete(first);
      return page.next;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      learning.isWhole = false;
      learning.hasFailed = true;
      return undefined;
    }
  }

  #end(hub: HubRuntime, hasFailed: boolean): void {
    const { from: of, missed, endPatience } = this.#learning.get(hub)!;
    endPatience();
    this.#learning.delete(hub);
    this.#learned.add(hub);
    if (hasFailed) this.#failed.set(hub, (this.#failed.get(hub) ?? new Set()).add(of));
    hub.model.endLearning();
    hub.rulesAreKnown();
    for (const from of missed) this.#begin(hub, from);
  }
}
