import { createHash } from 'node:crypto';

import { choosePairwise, type Factors } from './pairwise.ts';
import { type Run, RUNS } from './scenario-table.ts';
import { variantName } from './variants.ts';

/** What a run is made of. */
export function factorsOf({ scenario, variant: { kind, front } }: Run): Factors {
  return {
    scenario: scenario.name,
    version: String(kind.version),
    way: kind.way.name,
    protocol: kind.protocol,
    front,
  };
}

/** An order without a pattern, always the same, so that scenarios differ in what they are run with. */
export function shuffled<T>(items: readonly T[], nameOf: (item: T) => string): T[] {
  const keyed = items.map((item) => ({
    item,
    key: createHash('sha256').update(nameOf(item)).digest('hex'),
  }));
  return keyed.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ item }) => item);
}

export function runName({ scenario, variant }: Run): string {
  return `${scenario.name}, ${variantName(variant)}`;
}

/** The runs of `npm test`: always the same. */
export const CHOICE: readonly Run[] = choosePairwise(shuffled(RUNS, runName), factorsOf);
