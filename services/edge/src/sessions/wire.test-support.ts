import type { PoolName, Pools } from '../pools.ts';
import type { LabelCounts } from './counters.ts';

/** ␞ stands for the record separator in every text of these tests. */
export const wire = (text: string): Buffer => Buffer.from(text.replaceAll('␞', '\x1e'), 'latin1');
export const readable = (bytes: Uint8Array): string =>
  Buffer.from(bytes).toString('latin1').replaceAll('\x1e', '␞');

export const JSON_HANDSHAKE = '{"protocol":"json","version":1}␞';
export const MESSAGEPACK_HANDSHAKE = '{"protocol":"messagepack","version":1}␞';

/** When the next turn has begun: what the sessions batch within one has been sent. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A payload for every protocol that a test wants to see, by its name. */
export function payloads(given: Readonly<Record<string, string>>): Map<string, Uint8Array> {
  return new Map(Object.entries(given).map(([name, text]) => [name, wire(text)]));
}

/** Counts other than 0. */
export function counted(counts: LabelCounts): Record<string, number> {
  return Object.fromEntries([...counts.entries()].filter(([, count]) => count > 0));
}

/** What is held of a pool. */
export function usedOf(pools: Pools, pool: PoolName): number {
  return [...pools.usage()].find(([name]) => name === pool)![1];
}
