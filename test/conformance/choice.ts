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

/** An order without a pattern, so that scenarios differ in the variants they are run with. */
const shuffled = RUNS.map((run) => ({ run, key: hash(run) })).sort((a, b) =>
  a.key < b.key ? -1 : 1,
);

/** The runs of `npm test`: always the same. */
export const CHOICE: readonly Run[] = choosePairwise(
  shuffled.map(({ run }) => run),
  factorsOf,
);

function hash({ scenario, variant }: Run): string {
  return createHash('sha256')
    .update(`${scenario.name}, ${variantName(variant)}`)
    .digest('hex');
}
