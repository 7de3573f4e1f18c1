import { seeded } from '../edge/support/seeded.ts';

/** Chance that a seed decides: the same seed gives the same numbers, on every machine. */
export class Dice {
  /** From 0 up to, and without, 1. */
  readonly roll: () => number;

  constructor(seed: number) {
    this.roll = seeded(seed);
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.roll() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.roll() < probability;
  }

  pick<T>(from: readonly T[]): T | undefined {
    return from[this.between(0, from.length - 1)];
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.between(0, 255));
  }
}
