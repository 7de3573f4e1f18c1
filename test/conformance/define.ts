import { findProgram } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Context } from './context.ts';
import { CONTROL_JOINT_RUNS, JOINT_RUNS, type Run } from './scenario-table.ts';
import { FRONT_NAMES, type FrontName, variantName, VARIANTS } from './variants.ts';
import { startControlWorld, startWorld, type World } from './world.ts';

/** Enough to build the control in on a busy machine. */
const START_TIMEOUT_MS = 200_000;
/** For the longest; what a scenario waits for has deadlines of its own. */
const TIMEOUT_MS = 60_000;

const PROGRAMS = ['nginx', 'openssl'];

/** The fronts that this machine can have. */
export const FRONTS: readonly FrontName[] = PROGRAMS.every((name) => findProgram(name))
  ? FRONT_NAMES
  : ['straight'];

/** Is told of every run that has passed. */
type Listener = (run: Run) => void;

/** Defines tests for these runs and for all joint ones. */
export function defineRuns(runs: readonly Run[], passed?: Listener): void {
  defineTests(() => startWorld(FRONTS), JOINT_RUNS, runs, passed);
}

/** The same on the control: give runs of its own. */
export function defineControlRuns(runs: readonly Run[], passed?: Listener): void {
  defineTests(startControlWorld, CONTROL_JOINT_RUNS, runs, passed);
}

function defineTests(
  start: () => Promise<World>,
  joint: readonly Run[],
  runs: readonly Run[],
  passed: Listener = () => {},
): void {
  let world: World;

  beforeAll(async () => {
    world = await start();
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  const define = (some: readonly Run[]): void => {
    it.for(some.map((run) => [run.scenario.name, run] as const))(
      '%s',
      { timeout: TIMEOUT_MS },
      async ([, run], { skip }) => {
        const { scenario, variant } = run;
        skip(!FRONTS.includes(variant.front));
        await using context = new Context(world, variant);
        await scenario.run(context);
        expect(world.ended()).toEqual([]);
        passed(run);
      },
    );
  };

  describe.concurrent('clients of many kinds together', () => {
    define(joint);
  });

  const used = VARIANTS.filter((variant) => runs.some((run) => run.variant === variant));
  describe.concurrent.for(used.map((variant) => [variantName(variant), variant] as const))(
    '%s',
    ([, variant]) => {
      define(runs.filter((run) => run.variant === variant));
    },
  );
}
