import { describe } from 'vitest';

import { type Engine, ENGINES, startCluster } from '../bus/engines.ts';
import { runName, shuffled } from './choice.ts';
import { STRAIGHT_JOINT_RUNS, STRAIGHT_RUNS, MIXED_SIZE } from './clusters.ts';
import { defineMixedRuns } from './define.ts';
import { choosePairwise } from './pairwise.ts';
import type { Run } from './scenario-table.ts';
import { kindName } from './variants.ts';

/** The newest, and the oldest that reconnects. */
const VERSIONS: readonly number[] = [10, 3];

interface MixedRun extends Run {
  readonly engine: Engine;
}

/** Every scenario on every engine, and every kind of client on every engine. */
function choose(runs: readonly Run[]): MixedRun[] {
  const all = ENGINES.flatMap((engine) => runs.map((run) => ({ ...run, engine })));
  const inOrder = shuffled(all, (run) => `${runName(run)}, ${run.engine.name}`);
  const scenarios = choosePairwise(inOrder, ({ scenario, engine }) => ({
    scenario: scenario.name,
    engine: engine.name,
  }));
  const kinds = choosePairwise(inOrder, ({ variant, engine }) => ({
    kind: kindName(variant.kind),
    engine: engine.name,
  }));
  return [...new Set([...scenarios, ...kinds])];
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
