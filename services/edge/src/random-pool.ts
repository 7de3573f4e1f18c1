import { randomFillSync } from 'node:crypto';
import type { Random } from './ports/random.ts';

const POOL_BYTES = 4096;

/**
 * Unguessable bytes, drawn from the system many at a time: a draw costs as much as a whole connect
 * otherwise has to. What is given out is never given again.
 */
export function randomPool(): Random {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  return (bytes) => {
    if (used + bytes > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    used += bytes;
    return pool.subarray(used - bytes, used);
  };
}
