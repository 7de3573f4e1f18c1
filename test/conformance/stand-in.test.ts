import { PROFILE_NAMES } from '@trunkline/testing';
import { describe } from 'vitest';

import { factorsOf } from './choice.ts';
import { defineStandInRuns } from './define.ts';
import { choosePairwise } from './pairwise.ts';
import { RUNS } from './scenario-table.ts';

/** The newest and the oldest. */
const VERSIONS: readonly number[] = [10, 3];

/** The same hubs on another implementation of the service protocol. */
describe.each(PROFILE_NAMES)('on a stand-in for .NET %s', (profile) => {
  const runs = RUNS.filter(({ variant }) => VERSIONS.includes(variant.kind.version));
  defineStandInRuns(choosePairwise(runs, factorsOf), profile);
});
