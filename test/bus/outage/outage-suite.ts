import { beforeAll, describe, expect, it } from 'vitest';

import type { Engine } from '../engines.ts';
import { lateAnswers, wrongAnswers } from './answer-faults.ts';
import { disturbancesFor } from './disturbance.ts';
import {
  disorder,
  faultsBetween,
  faultsOfKeeping,
  localFaults,
  uncountedLosses,
} from './faults.ts';
import { figuresOf } from './figures.ts';
import { goThrough, type Ordeal } from './ordeal.ts';
import { readinessFaults } from './readiness-faults.ts';

/** Starting up to 15 edges, and what happens to them, on a machine that is busy with other tests. */
const ORDEAL_MS = 240_000;
/** The promise is 5 s, on a machine that is not. */
const RIGHT_AGAIN_MS = 30_000;

/**
 * What real edges, app servers and clients go through when something happens to an edge or to the
 * engine, while all of them speak, call and ask. The reporter `verbose` shows what was measured.
 */
export function holdsThroughOutages(kind: Engine): void {
  describe.skipIf(!kind.isHere)(`on ${kind.label}`, () => {
    // All at once, each with edges and an engine of its own: most of the time they wait.
    const options = { concurrent: true, timeout: ORDEAL_MS };
    describe.each(disturbancesFor(kind.scheme))('$what:', options, (disturbance) => {
      let ordeal: Ordeal;
      beforeAll(async () => {
        ordeal = await goThrough(kind, disturbance);
      }, ORDEAL_MS);

      it('everything crosses again soon after', async ({ annotate }) => {
        await annotate(figuresOf(ordeal));
        expect(ordeal.rightAt - ordeal.endedAt).toBeLessThan(RIGHT_AGAIN_MS);
      });

      it('clients and app servers of one edge lose nothing', () => {
        expect(localFaults(ordeal)).toEqual([]);
      });

      it('edges that nothing happens to lose nothing of each other', () => {
        expect(faultsBetween(ordeal)).toEqual([]);
      });

      it('edges that nothing happens to answer each other', () => {
        expect(wrongAnswers(ordeal)).toEqual([]);
      });

      it('nothing comes twice, or behind what was said later', () => {
        expect(disorder(ordeal)).toEqual([]);
      });

      it('what was lost is counted', () => {
        expect(uncountedLosses(ordeal)).toEqual([]);
      });

      it('what an edge that is cut off said last comes when it is back', () => {
        expect(faultsOfKeeping(ordeal)).toEqual([]);
      });

      it('nobody waits for who does not answer', () => {
        expect(lateAnswers(ordeal)).toEqual([]);
      });

      it('edges are ready while they can serve newcomers', () => {
        expect(readinessFaults(ordeal)).toEqual([]);
      });
    });
  });
}
