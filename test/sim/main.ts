/** `npm run test:sim`: whole clusters, each on one clock, and everything that can go wrong with them. */
import { parseArgs } from 'node:util';

import { BUGS } from './bugs.ts';
import type { Step } from './plan.ts';
import { shrink } from './shrink.ts';
import { planOfSeed, simulate } from './simulate.ts';

const USAGE = `Usage: npm run test:sim -- [options]

Runs clusters of three edges with app servers and clients, on a clock and a network that exist only in this
process: edges end, freeze and are cut off, batches are lost and come twice, app servers come and go. Checks
order, deliveries, answers, calls, losses and what is left. The same seed does the same, always. A failure
prints its seed, and the shortest history found in a minute that still fails. Ends with 1 if there is one.

  --seed <n>    the first seed (1)
  --seeds <n>   how many seeds (200)
  --steps <n>   of each of them (500)
  --bug <n>     1 to ${BUGS.length}: with a bug put in on purpose, to see it found
  --help        this text, and the bugs

Bugs:
${BUGS.map(({ name }, at) => `  ${at + 1}  ${name}`).join('\n')}`;

const SHRINK_MS = 60_000;

interface Options {
  readonly seed: number;
  readonly seeds: number;
  readonly steps: number;
  readonly bug: number | undefined;
  readonly help: boolean;
}

function readOptions(): Options {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { seed: text, seeds: text, steps: text, bug: text, help: { type: 'boolean' } },
  });
  const whole = (name: 'seed' | 'seeds' | 'steps' | 'bug', most: number): number | undefined => {
    const given = values[name];
    if (given === undefined) return undefined;
    const number = Number(given);
    if (Number.isInteger(number) && number >= 1 && number <= most) return number;
    throw new Error(`--${name} takes a whole number from 1 to ${most}`);
  };
  return {
    seed: whole('seed', 2 ** 31) ?? 1,
    seeds: whole('seeds', 1_000_000) ?? (values.seed === undefined ? 200 : 1),
    steps: whole('steps', 1_000_000) ?? 500,
    bug: whole('bug', BUGS.length),
    help: values.help === true,
  };
}

function line({ deed, which, ms }: Step): string {
  const chosen = which.map((number) => number.toFixed(3)).join(' ');
  return `  ${deed.padEnd(16)} ${chosen}, then ${ms.toFixed(0)} ms`;
}

/** Prints what is wrong with a seed; false if nothing is. */
function fails(seed: number, count: number): boolean {
  const steps = planOfSeed(seed, count);
  const [first] = simulate(seed, steps);
  if (first === undefined) return false;
  console.log(`seed ${seed} fails: ${first.checker}: ${first.text}`);
  const isSame = (fewer: readonly Step[]): boolean =>
    simulate(seed, fewer)[0]?.checker === first.checker;
  const shortest = shrink(steps, isSame, SHRINK_MS);
  const [then] = simulate(seed, shortest);
  console.log(`${shortest.length} of its ${count} steps are enough:`);
  console.log(shortest.map(line).join('\n'));
  console.log(`  at ${then!.at.toFixed(0)} ms: ${then!.checker}: ${then!.text}`);
  return true;
}

function main(): void {
  const { seed, seeds, steps, bug, help } = readOptions();
  if (help) return console.log(USAGE);
  if (bug !== undefined) BUGS[bug - 1]!.plant();
  const start = performance.now();
  let failed = 0;
  for (let at = seed; at < seed + seeds; at++) {
    if (fails(at, steps)) failed++;
    if (failed === 3) break;
    const passed = ((performance.now() - start) / 1000).toFixed(0);
    if ((at - seed + 1) % 20 === 0)
      console.error(`${passed.padStart(5)} s  ${at - seed + 1} seeds`);
  }
  console.log(failed === 0 ? `${seeds} seeds of ${steps} steps: all is well` : `${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

try {
  main();
} catch (error) {
  console.error(`trunkline: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
