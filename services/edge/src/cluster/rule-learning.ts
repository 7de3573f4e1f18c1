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

/**
 * How an edge that takes up a hub learns what groups the hub's users were put into before, from whichever
 * other edge has the hub: those of one are those of all. Also after a gap, in which something may have
 * been missed.
 */
export class RuleLearning {
  readonly #neighbours: { readonly edges: readonly string[] };
  readonly #time: Pick<Time, 'now'>;
  readonly #ask: AskRules;
  /** The hubs that rules are being learned for, and whether something has been missed since that began. */
  readonly #learning = new Map<HubRuntime, { isStale: boolean }>();

  constructor(
    neighbours: { readonly edges: readonly string[] },
    time: Pick<Time, 'now'>,
    ask: AskRules,
  ) {
    this.#neighbours = neighbours;
    this.#time = time;
    this.#ask = ask;
  }

  /** Begins, and where that has begun already, once more after it. */
  begin(hub: HubRuntime): void {
    const underway = this.#learning.get(hub);
    if (underway !== undefined) {
      underway.isStale = true;
      return;
    }
    this.#learning.set(hub, { isStale: false });
    hub.model.beginLearning();
    const deadline = this.#time.now() + PATIENCE_MS;
    this.#next(hub, this.#neighbours.edges, 0, deadline);
  }

  #next(hub: HubRuntime, edges: readonly string[], after: number, deadline: number): void {
    const [edge, ...rest] = edges;
    if (edge === undefined || this.#time.now() >= deadline) return this.#end(hub);
    const settle = ({ status, payload }: Answer): void => {
      if (status !== AckStatus.Ok || payload === undefined) {
        return this.#next(hub, rest, 0, deadline);
      }
      const next = this.#learn(hub, payload);
      if (next === undefined) this.#end(hub);
      else this.#next(hub, edges, next, deadline);
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
    const isStale = this.#learning.get(hub)?.isStale;
    this.#learning.delete(hub);
    hub.model.endLearning();
    hub.rulesAreKnown();
    if (isStale === true) this.begin(hub);
  }
}
