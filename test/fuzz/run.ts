import { deadline, startEdge, type StartedEdge } from '@trunkline/testing';

import { SETTLE_ARGS, settledBytes } from '../bench/process-usage.ts';
import { startAppServer } from '../chaos/start-app-server.ts';
import { seeded } from '../edge/support/seeded.ts';
import { withParts } from '../tasks/with-parts.ts';
import { tryConnectionString } from './connection-strings.ts';
import { readCorpus } from './corpus.ts';
import { HUBS, replay, type Targets } from './drive.ts';
import { Healthy } from './healthy.ts';
import { oneOf } from './mutate.ts';
import { startNegotiate } from './services.ts';
import { heldStill, watchProcess } from './watch.ts';

export interface Plan {
  readonly seed: number;
  readonly minutes: number;
  /** The first input, and how many there are at most. */
  readonly first: number;
  readonly count: number;
  readonly signal: AbortSignal;
  /** Told every ten seconds what has been done. */
  readonly progress: (line: string) => void;
}

export interface Outcome {
  readonly inputs: number;
  readonly findings: readonly string[];
  /** Inputs that were under way, or over just before, when the first finding came. */
  readonly suspects: readonly [first: number, last: number] | undefined;
  readonly calls: number;
  readonly stalls: number;
  readonly worstMs: number;
  /** Of the edge, in bytes, at rest; undefined where it was not measured. */
  readonly memory: readonly [before: number, after: number] | undefined;
}

/** Conversations at a time. */
const WORKERS = 12;
/** What is done slowly may show some inputs later. */
const BEFORE = 60;
const PROGRESS_MS = 10_000;
/** A conversation of this many steps and waits is over long before. */
const INPUT_MS = 60_000;
/** One input in so many is a connection string, for which a process is started. */
const CONNECTION_STRING_EVERY = 500;
/** What a heap may have grown by through warm code and fragments. */
const GROWTH_BYTES = 96 * 1024 * 1024;
const MIB = 1024 * 1024;

/** Attacks an edge until the time is over, all inputs are done, or there is a finding. */
export async function fuzz(plan: Plan): Promise<Outcome> {
  const run = new Run(plan);
  return withParts(async (own) => {
    const edge = await own(startEdge({ nodeArgs: SETTLE_ARGS }));
    const twin = await own(startEdge());
    const negotiate = await own(startNegotiate());
    for (const { url } of [edge, twin]) {
      await own(startAppServer({ edgeUrl: url, hub: Healthy.hub }));
    }
    const app = await own(startAppServer({ edgeUrl: edge.url, hub: HUBS.client }));
    run.watch({ edge, 'negotiate service': negotiate, 'app server of the SDK': app });
    const before = await settledBytes(edge.pid);
    const healthy = await own(Healthy.connect(edge.url, twin.url, run.report));
    await run.attack({ edgeUrl: edge.url, negotiateUrl: negotiate.url }, healthy);
    await healthy[Symbol.asyncDispose]();
    const memory = run.isCut ? undefined : ([before, await run.settle(edge, before)] as const);
    const { calls, stalls, worstMs } = healthy;
    run.over = true;
    return { ...run.outcome(), calls, stalls, worstMs, memory };
  });
}

/** One run, and what it has found so far. */
class Run {
  over = false;
  readonly #plan: Plan;
  readonly #findings: string[] = [];
  readonly #corpus = readCorpus();
  readonly #others: readonly string[];
  #next: number;
  #suspects: Outcome['suspects'];

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#next = plan.first;
    this.#others = this.#corpus
      .flatMap(({ steps }) => steps)
      .map((step) => ('payload' in step ? step.payload : step.head + step.body))
      .filter((text) => text !== '');
  }

  readonly report = (finding: string): void => {
    // Told to stop, processes end under it.
    if (this.#plan.signal.aborted) return;
    this.#suspects ??= [Math.max(this.#plan.first, this.#next - BEFORE), this.#next - 1];
    this.#findings.push(finding);
  };

  /** It has ended before its time. */
  get isCut(): boolean {
    return this.#plan.signal.aborted || this.#findings.length > 0;
  }

  outcome(): Pick<Outcome, 'inputs' | 'findings' | 'suspects'> {
    const inputs = this.#next - this.#plan.first;
    return { inputs, findings: this.#findings, suspects: this.#suspects };
  }

  watch(processes: Readonly<Record<string, Parameters<typeof watchProcess>[1]>>): void {
    for (const [name, started] of Object.entries(processes)) {
      watchProcess(name, started, () => this.over, this.report);
    }
  }

  async attack(targets: Targets, healthy: Healthy): Promise<void> {
    const { first, count, minutes, progress } = this.#plan;
    const until = performance.now() + minutes * 60_000;
    const work = async (): Promise<void> => {
      while (!this.isCut && performance.now() < until && this.#next < first + count) {
        await this.#input(this.#next++, targets);
      }
    };
    const ticking = setInterval(() => {
      const { calls, stalls, worstMs } = healthy;
      progress(
        `${this.#next - first} inputs; healthy clients: ${calls} calls, ` +
          `${stalls} stalls over 50 ms, worst ${worstMs.toFixed(0)} ms`,
      );
    }, PROGRESS_MS);
    await Promise.all(Array.from({ length: WORKERS }, work));
    clearInterval(ticking);
  }

  /** Nothing is held any more, and the memory has come back. Answers what there is of it. */
  async settle(edge: StartedEdge, before: number): Promise<number> {
    const held = await heldStill(edge);
    if (held.length > 0) this.report(`still held after everybody has gone: ${held.join(', ')}`);
    const after = await settledBytes(edge.pid);
    if (after - before > GROWTH_BYTES) {
      this.report(`memory grew from ${mib(before)} to ${mib(after)} and did not come back`);
    }
    return after;
  }

  async #input(number: number, targets: Targets): Promise<void> {
    const random = seeded(Math.imul(this.#plan.seed, 0x9e3779b1) + number);
    try {
      if (number % CONNECTION_STRING_EVERY === CONNECTION_STRING_EVERY - 1) {
        const wrong = await tryConnectionString(random, this.#others);
        if (wrong !== undefined) this.report(wrong);
        return;
      }
      const conversation = oneOf(random, this.#corpus);
      const done = replay(conversation, random, this.#others, targets);
      await deadline(done, INPUT_MS, `it was not over after ${INPUT_MS} ms`);
    } catch (error) {
      this.report(`input ${number}: ${(error as Error).message}`);
    }
  }
}

export function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
