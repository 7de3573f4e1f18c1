import { discard } from '../discard.ts';

/** Long records that are unfinished are kept in blocks of this size. */
export const BLOCK_BYTES = 1024 * 1024;
/**
 * Blocks that are kept for the next ones: the system takes as long to find and to clear a megabyte as
 * it takes to fill it three times.
 */
const MOST_SPARE = 16;

const spare: Uint8Array[] = [];

/** A whole block, with whatever is in it. */
export function takeBlock(): Uint8Array {
  return spare.pop() ?? new Uint8Array(BLOCK_BYTES);
}

/** Takes back memory that nobody has a view of any more, a block or less. */
export function giveBlock(memory: Uint8Array): void {
  if (memory.length === BLOCK_BYTES && spare.length < MOST_SPARE) spare.push(memory);
  else discard(memory);
}
