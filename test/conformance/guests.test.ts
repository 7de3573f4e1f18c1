import { describe } from 'vitest';

import { NATS_ENGINE, startCluster } from '../bus/engines.ts';
import { runName, shuffled } from './choice.ts';
import { STRAIGHT_JOINT_RUNS, STRAIGHT_RUNS } from './clusters.ts';
import { defineApartRuns } from './define.ts';

/** The newest: what older ones do differently is no business of who serves them. */
const VERSION = 10;

const newest = STRAIGHT_RUNS.filter(({ variant }) => variant.kind.version === VERSION);
/** Each scenario once, with whatever transport and protocol. */
const chosen = [
  ...new Map(shuffled(newest, runName).map((run) => [run.scenario.name, run])).values(),
];

/** What holds at one edge holds for clients whose app server has dialled another one. */
describe.skipIf(!NATS_ENGINE.isHere)(
  `clients at an edge that no app server has dialled, on ${NATS_ENGINE.label}`,
  () => {
    defineApartRuns(() => startCluster(NATS_ENGINE, 2), STRAIGHT_JOINT_RUNS, chosen);
  },
);
