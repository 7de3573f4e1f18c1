/** From here on memory is worth giving back by hand: a call takes a microsecond or two. */
const LARGE_BYTES = 16 * 1024;

/** Not in every Node that this runs on. */
interface Transferable {
  transfer?(bytes: number): unknown;
}

/**
 * Gives back the memory of `bytes` at once, if it is much, and theirs alone. The garbage collector
 * would, too, but not before so much else has been allocated that it comes by: a process that has
 * been made to hold hundreds of megabytes, and then has little to do, would keep them for as long.
 * Nobody may have a view of `bytes` that is still needed; they are empty afterwards.
 */
export function discard(bytes: Uint8Array): void {
  if (bytes.length < LARGE_BYTES || bytes.length !== bytes.buffer.byteLength) return;
  (bytes.buffer as Transferable).transfer?.(0);
}
