/** `npm run test:sim`: whole clusters, each on one clock, with everything that can go wrong. */
import { planOfSeed, simulate } from './simulate.ts';

const [from = 1, count = 10, steps = 500] = process.argv.slice(2).map(Number);
for (let seed = from; seed < from + count; seed++) {
  const start = performance.now();
  const violations = simulate(seed, planOfSeed(seed, steps));
  console.log(seed, violations.length === 0 ? 'ok' : 'FAILED', `${(performance.now() - start).toFixed(0)} ms`);
  for (const { checker, text, at } of violations.slice(0, 3)) console.log(`  ${at.toFixed(0)} ${checker}: ${text}`);
}
