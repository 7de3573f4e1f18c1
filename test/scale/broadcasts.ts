import { preciseNow } from '@trunkline/testing';

import type { Scene } from './edges.ts';

const HEAR_TIMEOUT_MS = 60_000;

/** Milliseconds from the word to send until clients had heard it. */
export interface Delays {
  readonly p50: number;
  readonly p99: number;
  /** The longest of all. */
  readonly last: number;
}

/** Sends to all, again when all have heard it. */
export async function measureBroadcasts(
  { sender, loads, counts }: Scene,
  times: number,
  signal: AbortSignal,
): Promise<Delays> {
  const delays: number[] = [];
  for (let time = 0; time < times && !signal.aborted; time++) {
    await Promise.all(loads.map((load) => load.do('noteArrivals', {}, HEAR_TIMEOUT_MS)));
    const sentAt = preciseNow();
    const heard = loads.map((load, at) =>
      load.do('arrivals', { messages: counts[at]! }, HEAR_TIMEOUT_MS),
    );
    await sender.send({ to: 'all', names: [''], times: 1 });
    for (const arrivals of await Promise.all(heard)) {
      for (const at of arrivals) delays.push(at - sentAt);
    }
  }
  const sorted = Float64Array.from(delays).sort();
  const at = (part: number): number => Math.round(sorted[Math.floor(part * (sorted.length - 1))]!);
  return { p50: at(0.5), p99: at(0.99), last: at(1) };
}
