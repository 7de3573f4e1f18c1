import { METRICS } from './catalogue.ts';
import type { HistogramName } from './catalogue.ts';

/**
 * Counts observations into the buckets that the catalogue gives a metric. Everything lives in two
 * typed arrays, so that observing allocates nothing.
 */
export class Histogram {
  readonly #bounds: Float64Array;
  /** One count for each bound, then the count above the last, then the sum of all values. */
  readonly #cells: Float64Array;

  constructor(name: HistogramName) {
    this.#bounds = Float64Array.from(METRICS[name].buckets);
    this.#cells = new Float64Array(this.#bounds.length + 2);
  }

  /** Counts `value`, in the metric's unit, `times` over. */
  observe(value: number, times = 1): void {
    const bounds = this.#bounds;
    const cells = this.#cells;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
    cells[bucket]! += times;
    cells[bounds.length + 1]! += value * times;
  }

  get sum(): number {
    return this.#cells[this.#bounds.length + 1]!;
  }

  /** Each upper bound, at last Infinity, with the number of observations at or below it. */
  cumulative(): [bound: number, count: number][] {
    let count = 0;
    return Array.from(this.#cells.subarray(0, -1), (cell, i) => {
      count += cell;
      return [this.#bounds[i] ?? Infinity, count];
    });
  }
}
