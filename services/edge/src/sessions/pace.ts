import type { Random } from '../ports/random.ts';

/** Milliseconds between two steps in which clients are closed, on average. */
export const STEP_MS = 100;
const JITTER = 0.25;

/** How long until the next step: give or take a quarter, so that edges do not keep step. */
export function nextStepMs(random: Random): number {
  const chance = random(1)[0]! / 255;
  return STEP_MS * (1 + JITTER * (2 * chance - 1));
}
