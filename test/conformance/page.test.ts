import { existsSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { CHOICE, clientOf, factorsOf } from './choice.ts';
import { PAGE, renderPage } from './page.ts';
import { pairsOf } from './pairwise.ts';
import { JOINT_RUNS, RUNS } from './scenario-table.ts';

describe('docs/conformance.md', () => {
  it('is what the scenarios and variants make of it when all have passed', () => {
    const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : 'not written';
    // Written by hand it would prove nothing: run npm run test:conformance.
    expect(page).toBe(renderPage(() => true));
  });

  it.each([RUNS[0]!, JOINT_RUNS[0]!])('shows what has not passed', (victim) => {
    const page = renderPage((run) => run !== victim);
    expect(page.match(/✗/g)).toHaveLength(1);
    expect(page.replace('✗', '✓')).toBe(renderPage(() => true));
  });
});

describe('the choice of npm test', () => {
  it.each([factorsOf, clientOf])('has every pair that the whole has: %o', (factors) => {
    const pairs = new Set(RUNS.flatMap((run) => pairsOf(factors(run))));
    expect(new Set([...CHOICE].flatMap((run) => pairsOf(factors(run))))).toEqual(pairs);
  });

  it('knows scenarios by their names', () => {
    const names = new Set(RUNS.map(({ scenario }) => scenario.name));
    expect(names.size).toBe(new Set(RUNS.map(({ scenario }) => scenario)).size);
  });
});
