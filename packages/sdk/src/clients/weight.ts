/** What V8 takes for parts of a value, in bytes, to a factor of two. */
const CONTAINER = 56;
const ITEM = 8;
const MEMBER = 32;
const TEXT = 24;

/**
 * How much memory a value that was read from a hub message takes beside the message's bytes, in bytes
 * and roughly: an empty object is one byte in MessagePack, and some 64 here. Depth costs no stack.
 */
export function weightOf(value: unknown): number {
  let weight = 0;
  const left: unknown[] = [value];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one === 'string') weight += TEXT;
    if (typeof one !== 'object' || one === null) continue;
    weight += CONTAINER;
    const parts = partsOf(one);
    weight += parts.length * (Array.isArray(one) ? ITEM : MEMBER);
    for (const part of parts) if (isWeighty(part)) left.push(part);
  }
  return weight;
}

/** Bytes have none: they are in the message's own. */
function partsOf(container: object): readonly unknown[] {
  if (Array.isArray(container)) return container;
  if (container instanceof Map) return [...container].flat();
  return ArrayBuffer.isView(container) ? [] : Object.values(container);
}

function isWeighty(part: unknown): boolean {
  return typeof part === 'string' || (typeof part === 'object' && part !== null);
}
