import { cpuMicroseconds } from '../bench/process-usage.ts';

const SAMPLE_MS = 1_000;
/** Shorter ones are chance: a garbage collection, a core that others had. */
const WINDOW_SAMPLES = 5;

/** How busy processes are, by the CPU time that Linux counts for each of them. */
export class LoadWatch {
  readonly #watched: ReadonlyMap<number, CpuSample[]>;
  readonly #timer: NodeJS.Timeout;

  /** @param pids Those that end meanwhile do not count. */
  constructor(pids: readonly number[]) {
    this.#watched = new Map(pids.map((pid) => [pid, [sampleOf(pid)]]));
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS).unref();
  }

  /**
   * Ends the watch. Answers the share of a core that the busiest process has taken for five seconds, 0 to
   * 1, of those that are still there; undefined where none is, or none for so long.
   */
  busiest(): number | undefined {
    clearInterval(this.#timer);
    this.#sample();
    const shares = [...this.#watched.values()].filter(isThere).flatMap(windows);
    return shares.length === 0 ? undefined : Math.max(...shares);
  }

  #sample(): void {
    for (const [pid, samples] of this.#watched) {
      if (isThere(samples)) samples.push(sampleOf(pid));
    }
  }
}

interface CpuSample {
  readonly at: number;
  /** Undefined once the process has ended. */
  readonly cpu: number | undefined;
}

function sampleOf(pid: number): CpuSample {
  const at = performance.now() * 1000;
  try {
    return { at, cpu: cpuMicroseconds(pid) };
  } catch {
    return { at, cpu: undefined };
  }
}

function isThere(samples: readonly CpuSample[]): boolean {
  return samples.at(-1)!.cpu !== undefined;
}

/** The share of a core in each five seconds. */
function windows(samples: readonly CpuSample[]): number[] {
  return samples
    .slice(WINDOW_SAMPLES)
    .map(({ at, cpu }, index) => (cpu! - samples[index]!.cpu!) / (at - samples[index]!.at));
}
