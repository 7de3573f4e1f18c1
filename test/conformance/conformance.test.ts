import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Context, type Scenario, startWorld, type World } from './context.ts';
import { abandonment } from './scenarios/abandonment.ts';
import { calls } from './scenarios/calls.ts';
import { clientResults } from './scenarios/client-results.ts';
import { groups } from './scenarios/groups.ts';
import { identity } from './scenarios/identity.ts';
import { lifecycle } from './scenarios/lifecycle.ts';
import { limits } from './scenarios/limits.ts';
import { load } from './scenarios/load.ts';
import { order } from './scenarios/order.ts';
import { reach } from './scenarios/reach.ts';
import { restarts } from './scenarios/restarts.ts';
import { silence } from './scenarios/silence.ts';
import { streams } from './scenarios/streams.ts';
import { values } from './scenarios/values.ts';
import { type ClientVariant, VARIANTS } from './variants.ts';

/** Run for every variant. */
const SCENARIOS: readonly Scenario[] = [
  ...values,
  ...calls,
  ...order,
  ...groups,
  ...lifecycle,
  ...identity,
  ...limits,
  ...streams,
  ...clientResults,
];

/** Run once: they have clients of all variants at the same time, or none. The longest come first. */
const JOINT_SCENARIOS: readonly Scenario[] = [
  ...silence,
  ...restarts,
  ...abandonment,
  ...reach,
  ...load,
];

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
});

/** For the longest; what a scenario waits for has deadlines of its own. */
const TIMEOUT_MS = 60_000;

function define(scenarios: readonly Scenario[], variant: ClientVariant): void {
  it.each(scenarios.map(({ name, run }) => [name, run] as const))(
    '%s',
    async (_name, run) => {
      await using context = new Context(world, variant);
      await run(context);
      // Whatever the clients did, the servers have survived it.
      expect(world.edge.child.exitCode).toBeNull();
      expect(world.app.child.exitCode).toBeNull();
    },
    TIMEOUT_MS,
  );
}

describe.concurrent('clients of every kind together', () => {
  define(JOINT_SCENARIOS, VARIANTS[0]!);
});

describe.concurrent.each(VARIANTS.map((variant) => [variant.name, variant] as const))(
  '%s',
  (_name, variant) => {
    define(SCENARIOS, variant);
  },
);
