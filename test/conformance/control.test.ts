import { describe } from 'vitest';

import { factorsOf, LANDMARKS } from './choice.ts';
import { defineControlRuns } from './define.ts';
import { choosePairwise } from './pairwise.ts';
import { CONTROL_RUNS } from './scenario-table.ts';
import { DOTNET } from './start-kestrel.ts';

/** Where a test fails here, it is wrong: these hubs are what all others are to be like. */
describe.skipIf(DOTNET === undefined)('on Kestrel (needs the .NET SDK, 8 or later)', () => {
  const runs = CONTROL_RUNS.filter(({ variant }) => LANDMARKS.includes(variant.kind.version));
  defineControlRuns(choosePairwise(runs, factorsOf));
});
