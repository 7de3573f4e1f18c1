import { Dice } from './dice.ts';
import { DO } from './deeds.ts';
import type { Violation } from './journal.ts';
import { planOf, type Step } from './plan.ts';
import { GROUPS, World } from './world.ts';

/** How long all faults are over when it has settled: the longest of them, and what mends after it. */
const SETTLE_MS = 30_000;
const QUIET_MS = 20_000;
/** An app server may take 30 s to come back for what it has asked; and edges look once a second. */
const FORGOTTEN_MS = 32_000;

/** The steps of a seed: the same again, whenever it is asked for. */
export function planOfSeed(seed: number, steps: number): Step[] {
  return planOf(new Dice(seed), steps);
}

/** Does the steps, lets all settle, and answers what was wrong: nothing if all is well. */
export function simulate(seed: number, steps: readonly Step[]): readonly Violation[] {
  const world = new World(seed + 1_000_003);
  const { journal, clock } = world;
  const isWell = (): boolean => journal.violations.length === 0;
  try {
    for (const { deed, which, ms } of steps) {
      DO[deed](world, which);
      clock.pass(ms);
      if (!isWell()) return journal.violations;
    }
    finish(world);
  } catch (error) {
    journal.violation(
      'crash',
      error instanceof Error ? (error.stack ?? error.message) : String(error),
    );
  }
  return journal.violations;
}

function finish(world: World): void {
  const { clock } = world;
  clock.pass(SETTLE_MS);
  // Who has lost something learns of it by what comes next.
  for (let n = 0; n < 3; n++) {
    for (const app of world.apps) {
      for (const line of app.lines) {
        app.send(line, { kind: 'all' });
        for (const { user } of world.clients) app.send(line, { kind: 'user', name: user });
        for (const name of GROUPS) app.send(line, { kind: 'group', name });
        for (const { conn } of world.clients) if (conn) app.ask(line, { kind: 'checkConn', conn });
      }
    }
    clock.pass(QUIET_MS / 3);
  }
  world.settled();
  for (const client of world.clients) client.leave(true);
  clock.pass(1_000);
  for (const app of world.apps) app.kill();
  clock.pass(FORGOTTEN_MS);
  world.over();
}
