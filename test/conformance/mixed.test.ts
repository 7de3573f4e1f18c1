import { describe } from 'vitest';

import { type Engine, ENGINES, startCluster } from '../bus/engines.ts';
import { chooseForClusters } from './choice.ts';
import { MIXED_SIZE, STRAIGHT_JOINT_RUNS, STRAIGHT_RUNS } from './clusters.ts';
import { defineMixedRuns } from './define.ts';
import type { Run } from './scenario-table.ts';

/** The newest, and the oldest that reconnects. */
const VERSIONS: readonly number[] = [10, 3];

interface MixedRun extends Run {
  readonly engine: Engine;
}

function choose(runs: readonly Run[]): MixedRun[] {
  const all = ENGINES.flatMap((engine) => runs.map((run) => ({ ...run, engine })));
  return chooseForClusters(all, ({ engine }) => engine.name);
}

const joint = choose(STRAIGHT_JOINT_RUNS);
const chosen = choose(
  STRAIGHT_RUNS.filter(({ variant }) => VERSIONS.includes(variant.kind.version)),
);

/** What holds with one edge holds with several behind one address, wherever each request lands. */
describe.each(ENGINES)('clients and app servers at any edge on $label', (engine) => {
  describe.skipIf(!engine.isHere)(`${MIXED_SIZE} of them`, () => {
    const of = (runs: readonly MixedRun[]): Run[] => runs.filter((run) => run.engine === engine);
    defineMixedRuns(() => startCluster(engine, MIXED_SIZE), of(joint), of(chosen));
  });
});
