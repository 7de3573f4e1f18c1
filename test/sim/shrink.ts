import type { Step } from './plan.ts';

/**
 * The shortest history found in a while that still fails: without as many of the steps as can be left out,
 * by leaving out halves, quarters and so on (delta debugging).
 */
export function shrink(
  steps: readonly Step[],
  fails: (steps: readonly Step[]) => boolean,
  mostMs: number,
): readonly Step[] {
  const until = performance.now() + mostMs;
  let shortest = steps;
  for (let size = steps.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < shortest.length && performance.now() < until;) {
      const fewer = [...shortest.slice(0, at), ...shortest.slice(at + size)];
      if (fails(fewer)) shortest = fewer;
      else at += size;
    }
  }
  return shortest;
}
