/** All there is: `npm run test:conformance`. */
import { writeFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { defineControlRuns, defineRuns, FRONTS } from './define.ts';
import { PAGE, renderPage } from './page.ts';
import { CONTROL_JOINT_RUNS, CONTROL_RUNS, JOINT_RUNS, type Run, RUNS } from './scenario-table.ts';
import { DOTNET } from './start-kestrel.ts';
import { FRONT_NAMES, variantName } from './variants.ts';

const passed = new Set<Run>();
const control = new Set<Run>();

defineRuns(RUNS, (run) => passed.add(run));

describe.skipIf(DOTNET === undefined)('on Kestrel (needs the .NET SDK, 8 or later)', () => {
  defineControlRuns(CONTROL_RUNS, (run) => control.add(run));
});

const complete = FRONTS.length === FRONT_NAMES.length && DOTNET !== undefined;

it.runIf(complete)('has passed, as the page says (needs nginx, openssl and the .NET SDK)', () => {
  const page = renderPage((run) => passed.has(run));
  console.log(page);
  expect([
    ...[...RUNS, ...JOINT_RUNS].filter((run) => !passed.has(run)).map(nameOf),
    ...[...CONTROL_RUNS, ...CONTROL_JOINT_RUNS]
      .filter((run) => !control.has(run))
      .map((run) => `on Kestrel, ${nameOf(run)}`),
  ]).toEqual([]);
  writeFileSync(PAGE, page);
});

function nameOf({ scenario, variant }: Run): string {
  return `${variantName(variant)}: ${scenario.name}`;
}
