import type { Identified } from './connection-table.ts';
import { CONNECTION_ID_LENGTH, standsIn, tailOfBytes, tailOfId } from './connection-id.ts';

/**
 * Things under ids that other edges have minted, found by the bytes of the id without making a string
 * of it. The slot in such an id is one of that other edge's table, so it is the random end of the id
 * that leads to a few of them, and the whole id to the one.
 */
export class ForeignIds<T extends Identified> {
  readonly #byTail = new Map<number, T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: T): void {
    const tail = tailOfId(item.id);
    const items = this.#byTail.get(tail);
    if (items === undefined) this.#byTail.set(tail, [item]);
    else items.push(item);
    this.#size++;
  }

  delete(id: string): void {
    const tail = tailOfId(id);
    const items = this.#byTail.get(tail);
    const at = items?.findIndex((item) => item.id === id) ?? -1;
    if (at < 0) return;
    items!.splice(at, 1);
    if (items!.length === 0) this.#byTail.delete(tail);
    this.#size--;
  }

  /** What is under the id `bytes[start, end)`. */
  find(bytes: Uint8Array, start: number, end: number): T | undefined {
    if (end - start !== CONNECTION_ID_LENGTH) return undefined;
    return this.#byTail.get(tailOfBytes(bytes, end))?.find(({ id }) => standsIn(id, bytes, start));
  }

  get(id: string): T | undefined {
    if (id.length !== CONNECTION_ID_LENGTH) return undefined;
    return this.#byTail.get(tailOfId(id))?.find((item) => item.id === id);
  }
}
