import type { Metrics } from '../edge/support/metrics.ts';
import type { Tally } from './crowd.ts';

/** What is kept of a minute. */
export interface Minute {
  readonly residentBytes: number;
}

/** Growth from the first quarter, after a warm-up, to the last that is still taken for noise. */
const GROWTH_LIMIT = 1.1;
const MIB = 1024 * 1024;

/** Prints a line, and answers what to keep. */
export function report(metrics: Metrics, tally: Tally, cuts: number): Minute {
  const residentBytes = metrics.value('process_resident_memory_bytes');
  const moved = metrics.value('trunkline_migrations_total', { outcome: 'moved_after_loss' });
  const refused =
    metrics.value('trunkline_migrations_total', { outcome: 'no_server' }) +
    metrics.value('trunkline_migrations_total', { outcome: 'not_allowed' }) +
    metrics.value('trunkline_migrations_total', { outcome: 'not_possible' });
  const { calls, failed, heard, disconnects, disorder } = tally;
  console.log(
    `${cuts / 6} min: ${(residentBytes / MIB).toFixed(1)} MB, ${cuts} cuts, ${moved} moved, ` +
      `${refused} could not, ${calls} calls (${failed} failed), ${heard} heard, ` +
      `${disconnects} disconnects, ${disorder} out of order`,
  );
  return { residentBytes };
}

/** Whether memory was flat and no client noticed more than a failed call. */
export function verdict(history: readonly Minute[], { disconnects, disorder }: Tally): boolean {
  if (history.length === 0) throw new Error('it has not run for a minute');
  const settled = history.slice(Math.min(2, history.length - 1));
  const quarter = Math.max(1, Math.floor(settled.length / 4));
  const mean = (minutes: readonly Minute[]): number =>
    minutes.reduce((sum, { residentBytes }) => sum + residentBytes, 0) / minutes.length;
  const growth = mean(settled.slice(-quarter)) / mean(settled.slice(0, quarter));
  console.log(`memory: last quarter / first = ${growth.toFixed(3)}`);
  return disconnects === 0 && disorder === 0 && growth <= GROWTH_LIMIT;
}
