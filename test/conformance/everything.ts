/** All there is: `npm run test:conformance`. */
import { writeFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { ENGINES, startCluster } from '../bus/engines.ts';
import {
  CLUSTER_JOINT_RUNS,
  CLUSTER_KINDS,
  CLUSTER_RUNS,
  clusterName,
  STRAIGHT_JOINT_RUNS,
  STRAIGHT_RUNS,
  MIXED_SIZE,
} from './clusters.ts';
import {
  defineApartRuns,
  defineControlRuns,
  defineEdgesRuns,
  defineMixedRuns,
  defineRuns,
  FRONTS,
} from './define.ts';
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

/** From which version on clients run at several edges; `npm test` has some of the older, too. */
const MODERN = 8;
const modern = CLUSTER_RUNS.filter(({ variant }) => variant.kind.version >= MODERN);
const modernStraight = STRAIGHT_RUNS.filter(({ variant }) => variant.kind.version >= MODERN);

for (const cluster of CLUSTER_KINDS) {
  const { engine, size } = cluster;
  describe.skipIf(!engine.isHere)(`clients at different ones of ${clusterName(cluster)}`, () => {
    defineEdgesRuns(() => startCluster(engine, size), CLUSTER_JOINT_RUNS, modern);
  });
}

for (const engine of ENGINES) {
  const cluster = clusterName({ engine, size: MIXED_SIZE });
  describe.skipIf(!engine.isHere)(`clients and app servers at any of ${cluster}`, () => {
    defineMixedRuns(() => startCluster(engine, MIXED_SIZE), STRAIGHT_JOINT_RUNS, modernStraight);
  });
  describe.skipIf(!engine.isHere)(
    `clients at an edge that no app server has dialled, on ${engine.label}`,
    () => {
      defineApartRuns(() => startCluster(engine, 2), STRAIGHT_JOINT_RUNS, modernStraight);
    },
  );
}

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
