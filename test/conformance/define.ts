import { findProgram } from '@trunkline/foundation';
import { type ProfileName, startDotnetStandIn } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Cluster } from '../bus/engines.ts';
import { Context } from './context.ts';
import type { Scenario } from './scenario.ts';
import { CONTROL_JOINT_RUNS, JOINT_RUNS, type Run } from './scenario-table.ts';
import type { AppServer, AppServerOptions } from './start-app-server.ts';
import { FRONT_NAMES, type FrontName, frontName, variantName, VARIANTS } from './variants.ts';
import { startControlWorld, startWorld, type World } from './world.ts';

/** Enough to build the control in on a busy machine. */
const START_TIMEOUT_MS = 200_000;
/** For the longest; what a scenario waits for has deadlines of its own. */
const TIMEOUT_MS = 120_000;

const PROGRAMS = ['nginx', 'openssl'];

/** The fronts that this machine can have. */
export const FRONTS: readonly FrontName[] = PROGRAMS.every((name) => findProgram(name))
  ? FRONT_NAMES
  : ['straight'];

/** Is told of every run that has passed. */
type Listener = (run: Run) => void;

/** Defines tests for these runs and for all joint ones. */
export function defineRuns(runs: readonly Run[], passed?: Listener): void {
  defineTests(() => startWorld({ fronts: FRONTS }), JOINT_RUNS, runs, passed);
}

/** The same on the control: give runs of its own. */
export function defineControlRuns(runs: readonly Run[], passed?: Listener): void {
  defineTests(startControlWorld, CONTROL_JOINT_RUNS, runs, passed);
}

/** The same with stand-ins for app servers on the .NET package: give joint runs, too. */
export function defineStandInRuns(
  profile: ProfileName,
  joint: readonly Run[],
  runs: readonly Run[],
): void {
  const start = async (options: AppServerOptions): Promise<AppServer> => ({
    ...(await startDotnetStandIn({ profile, ...options })),
    edgeUrl: options.edgeUrl,
  });
  defineTests(() => startWorld({ fronts: FRONTS, start }), joint, runs);
}

/** The same with several edges, an app server at each, and clients at each of these: give such runs. */
export function defineEdgesRuns(
  cluster: () => Promise<Cluster>,
  joint: readonly Run[],
  runs: readonly Run[],
  passed?: Listener,
): void {
  defineTests(() => startWorld({ fronts: ['straight'], cluster }), joint, runs, passed);
}

/** The same with app servers that have dialled the last edge alone, while clients are at the others. */
export function defineApartRuns(
  cluster: () => Promise<Cluster>,
  joint: readonly Run[],
  runs: readonly Run[],
): void {
  defineTests(
    () => startWorld({ fronts: ['straight'], cluster, arrangement: 'apart' }),
    joint,
    runs,
  );
}

/** The same with several edges behind one address, for app servers too: give runs that are straight. */
export function defineMixedRuns(
  cluster: () => Promise<Cluster>,
  joint: readonly Run[],
  runs: readonly Run[],
): void {
  defineTests(
    () => startWorld({ fronts: ['straight'], cluster, arrangement: 'mixed' }),
    joint,
    runs,
  );
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

  const groups = [
    ...FRONT_NAMES.map((front) => ({
      name: `clients of many kinds together, ${frontName(front)}`,
      runs: joint.filter(({ variant }) => variant.front === front),
    })),
    ...VARIANTS.map((variant) => ({
      name: variantName(variant),
      runs: runs.filter((run) => run.variant === variant),
    })),
  ].filter((group) => group.runs.length > 0);

  describe.concurrent.for(groups)('$name', (group) => {
    it.for(group.runs.map((run) => [run.scenario.name, run] as const))(
      '%s',
      { timeout: TIMEOUT_MS },
      async ([, run], { skip, signal }) => {
        skip(!FRONTS.includes(run.variant.front));
        expect(await perform(run, world)).toEqual([]);
        // What goes on behind its deadline has failed.
        if (!signal.aborted) passed(run);
      },
    );
  });
}

/**
 * Gives what is wrong though the scenario has passed. Rejects when it fails, or cannot end what it began.
 */
export async function perform({ scenario, variant }: Run, world: World): Promise<string[]> {
  const complaints: string[] = [];
  {
    await using context = new Context(world, variant);
    await scenario.run(context);
    complaints.push(...complaintsOf(scenario, context, world));
  }
  return [...complaints, ...world.ended()];
}

/** A scenario that does not say that it has several clients would not run with them at several edges. */
function complaintsOf(
  { several = false }: Scenario,
  { clients, edges, apps }: Context,
  { isMixed }: World,
): string[] {
  if (clients > 1 !== several) return [`it has ${clients} clients, and several: ${several}`];
  if (isMixed) return [];
  if (several && edges === 1 && apps.length > 1) return ['all of its clients were at one edge'];
  return [];
}
