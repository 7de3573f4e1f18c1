import { AckStatus, ProtocolError } from '@trunkline/protocol';
import type { Answer, Asker } from '../model/asker.ts';
import type { Time } from '../ports/time.ts';
import type { HubRuntime } from '../sessions/hub-runtime.ts';
import { decodeRulesPage } from './rules-page.ts';

/** How long clients of a hub wait for its rules. */
const PATIENCE_MS = 3_000;

/** Asks an edge for some of a hub's rules. */
export type AskRules = (
  hub: string,
  after: number,
  edgeId: string,
  asker: Asker,
  deadline: number,
) => void;

/** Whose rules of a hub are to be learned. */
interface Learning {
  /** Those of the first that has the hub: they are those of all. In order. */
  anyOf: readonly string[];
  /** Those of each: what it has said may be lost. */
  readonly each: Set<string>;
  readonly deadline: number;
}

/**
 * How an edge learns what groups the users of a hub were put into by others: when it takes the hub up,
 * from whichever other edge has it; and when something that an edge has said may be lost, or it was not
 * there, from that very edge.
 */
export class RuleLearning {
  readonly #time: Pick<Time, 'now'>;
  readonly #ask: AskRules;
  readonly #learning = new Map<HubRuntime, Learning>();

  constructor(time: Pick<Time, 'now'>, ask: AskRules) {
    this.#time = time;
    this.#ask = ask;
  }

  /** The hub is new to this edge: its clients wait until one of these edges has told, or none does. */
  takeUp(hub: HubRuntime, edges: readonly string[]): void {
    this.#begin(hub, edges, []);
  }

  /** Something may be lost that these edges have said: now, or while it was learned from them. */
  catchUp(hub: HubRuntime, edges: readonly string[]): void {
    const underway = this.#learning.get(hub);
    if (underway === undefined) return this.#begin(hub, [], edges);
    for (const edge of edges) underway.each.add(edge);
  }

  #begin(hub: HubRuntime, anyOf: readonly string[], each: readonly string[]): void {
    const deadline = this.#time.now() + PATIENCE_MS;
    const learning = { anyOf, each: new Set(each), deadline };
    this.#learning.set(hub, learning);
    hub.model.beginLearning();
    this.#next(hub, learning);
  }

  #next(hub: HubRuntime, learning: Learning): void {
    const { anyOf, each, deadline } = learning;
    const [first, ...others] = anyOf;
    if (first !== undefined && this.#time.now() < deadline) {
      return this.#page(hub, first, 0, deadline, (done) => {
        learning.anyOf = done ? [] : others;
        this.#next(hub, learning);
      });
    }
    hub.rulesAreKnown();
    const [edge] = each;
    if (edge === undefined) return this.#end(hub);
    each.delete(edge);
    const until = this.#time.now() + PATIENCE_MS;
    this.#page(hub, edge, 0, until, () => this.#next(hub, learning));
  }

  /** Learns what an edge has, page by page; `then` is told whether it has told everything. */
  #page(
    hub: HubRuntime,
    edge: string,
    after: number,
    deadline: number,
    then: (done: boolean) => void,
  ): void {
    const settle = ({ status, payload }: Answer): void => {
      if (status !== AckStatus.Ok || payload === undefined) return then(false);
      const next = this.#learn(hub, payload);
      if (next === undefined) then(true);
      else this.#page(hub, edge, next, deadline, then);
    };
    this.#ask(hub.name, after, edge, { settle }, deadline);
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
    this.#learning.delete(hub);
    hub.model.endLearning();
  }
}
