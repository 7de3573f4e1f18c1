import type { Asking } from './asking.ts';
import type { ClaimFrame } from './claim-frames.ts';
import type { OwnStatus } from './own-status.ts';

/** How long the first id that goes elsewhere waits at most for others to know that there are such ids. */
const KNOWN_MS = 2_000;

/**
 * Until the first of its ids is claimed, an edge has all connections with its tag, and others send to
 * it what is for them. Before it gives that first one up, all others have heard that they may be
 * anywhere: what they send there from then on goes past no one.
 */
export class Scattering {
  readonly #tag: string;
  readonly #own: OwnStatus;
  readonly #asking: Asking;
  readonly #edges: () => readonly string[];
  readonly #say: (frame: ClaimFrame, edgeId: string) => void;
  /** Who waits for the others to know; undefined once they do. */
  #waiting: (() => void)[] | undefined = [];

  /** `edges`: the others that are there. */
  constructor(
    tag: string,
    own: OwnStatus,
    asking: Asking,
    edges: () => readonly string[],
    say: (frame: ClaimFrame, edgeId: string) => void,
  ) {
    this.#tag = tag;
    this.#own = own;
    this.#asking = asking;
    this.#edges = edges;
    this.#say = say;
  }

  /** Runs `then` when all others know. */
  whenKnown(then: () => void): void {
    if (this.#waiting === undefined) return then();
    this.#waiting.push(then);
    if (this.#waiting.length > 1) return;
    // Newcomers learn it by heartbeats.
    this.#own.handsOver = true;
    const settle = (): void => {
      const waiting = this.#waiting!;
      this.#waiting = undefined;
      for (const run of waiting) run();
    };
    const tags = [this.#tag];
    // Said first: there may be no room for the question.
    for (const edgeId of this.#edges()) {
      this.#say({ kind: 'scattered', question: 0, tags, ids: [] }, edgeId);
    }
    this.#asking.ask('', this.#edges(), 'allDone', { settle }, KNOWN_MS, (edgeId, question) =>
      this.#say({ kind: 'scattered', question, tags, ids: [] }, edgeId),
    );
  }
}
