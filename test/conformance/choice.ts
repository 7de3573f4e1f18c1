import { createHash } from 'node:crypto';

import { VERSIONS } from './libraries.ts';
import { choosePairwise, type Factors } from './pairwise.ts';
import { type Run, RUNS } from './scenario-table.ts';
import { kindName, variantName } from './variants.ts';

/** The newest, the oldest that reconnects (and can do most of what the newest can), and the oldest. */
export const LANDMARKS: readonly number[] = [Math.max(...VERSIONS), 3, Math.min(...VERSIONS)];

/** What a run is made of. The versions between are one value: each scenario runs with some of them. */
export function factorsOf({ scenario, variant: { kind, front } }: Run): Factors {
  return {
    scenario: scenario.name,
    version: LANDMARKS.includes(kind.version) ? String(kind.version) : 'between',
    way: kind.way.name,
    protocol: kind.protocol,
    front,
  };
}

/** A run's client and its front: so that every kind of client comes by either. */
export function clientOf({ variant: { kind, front } }: Run): Factors {
  return { kind: kindName(kind), front };
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

const everyRun = shuffled(RUNS, runName);

/** The runs of `npm test`: always the same. */
export const CHOICE: ReadonlySet<Run> = new Set([
  ...choosePairwise(everyRun, factorsOf),
  ...choosePairwise(everyRun, clientOf),
]);

/**
 * Some of these runs, of which there is each at each cluster: every scenario at one of them, and every
 * kind of client at each. `npm run test:conformance` runs all.
 */
export function chooseForClusters<At extends Run>(
  runs: readonly At[],
  clusterOf: (run: At) => string,
): At[] {
  const inOrder = shuffled(runs, (run) => `${runName(run)}, ${clusterOf(run)}`);
  const scenarios = new Map(inOrder.map((run) => [run.scenario.name, run]));
  const kinds = choosePairwise(inOrder, (run) => ({
    kind: kindName(run.variant.kind),
    cluster: clusterOf(run),
  }));
  return [...new Set([...scenarios.values(), ...kinds])];
}
