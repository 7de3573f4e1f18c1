import { PROFILE_NAMES, type ProfileName } from '@trunkline/testing';
import { describe } from 'vitest';

import { factorsOf } from './choice.ts';
import { defineStandInRuns } from './define.ts';
import { choosePairwise } from './pairwise.ts';
import { JOINT_RUNS, type Run, RUNS, runsWithPackage } from './scenario-table.ts';

/** The newest and the oldest. */
const VERSIONS: readonly number[] = [10, 3];

interface StandInRun extends Run {
  readonly profile: ProfileName;
}

/** Every pair of two factors of a run, the version of the .NET package being one of them. */
function choose(runs: readonly Run[]): StandInRun[] {
  const all = PROFILE_NAMES.flatMap((profile) =>
    runsWithPackage(runs, profile).map((run) => ({ ...run, profile })),
  );
  return choosePairwise(all, (run) => ({ ...factorsOf(run), profile: run.profile }));
}

const joint = choose(JOINT_RUNS);
const chosen = choose(RUNS.filter(({ variant }) => VERSIONS.includes(variant.kind.version)));

/** The same hubs on another implementation of the service protocol. */
describe.concurrent.each(PROFILE_NAMES)('on a stand-in for .NET %s', (profile) => {
  const of = (runs: readonly StandInRun[]): Run[] => runs.filter((run) => run.profile === profile);
  defineStandInRuns(profile, of(joint), of(chosen));
});
