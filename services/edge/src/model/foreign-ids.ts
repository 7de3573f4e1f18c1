import { CONNECTION_ID_LENGTH, tailOfBytes, tailOfId } from './connection-id.ts';
import type { Identified } from './connection-table.ts';

/**
 * Connections whose ids other edges have minted, found by the bytes of their id as those of this edge
 * are. Their slots mean nothing here, so they are found by the end of their random part: 30 bits, which
 * several may share.
 */
export class ForeignIds<T extends Identified> {
  readonly #entries = new Map<number, T | T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The id must not be there. */
  add(entry: T): void {
    const key = tailOfId(entry.id);
    const known = this.#entries.get(key);
    this.#size++;
    if (known === undefined) this.#entries.set(key, entry);
    else if (Array.isArray(known)) known.push(entry);
    else this.#entries.set(key, [known, entry]);
  }

  /** True if it was there. */
  delete(entry: T): boolean {
    const key = tailOfId(entry.id);
    const known = this.#entries.get(key);
    if (Array.isArray(known)) {
      const at = known.indexOf(entry);
      if (at < 0) return false;
      known.splice(at, 1);
      if (known.length === 1) this.#entries.set(key, known[0]!);
    } else if (known === entry) this.#entries.delete(key);
    else return false;
    this.#size--;
    return true;
  }

  get(id: string): T | undefined {
    if (this.#size === 0) return undefined;
    const known = this.#entries.get(tailOfId(id));
    if (Array.isArray(known)) return known.find((entry) => entry.id === id);
    return known?.id === id ? known : undefined;
  }

  /** The connection whose id is `bytes[start, end)`, without making a string of it. */
  find(bytes: Uint8Array, start: number, end: number): T | undefined {
    if (this.#size === 0 || end - start !== CONNECTION_ID_LENGTH) return undefined;
    const known = this.#entries.get(tailOfBytes(bytes, end));
    if (known === undefined) return undefined;
    if (Array.isArray(known)) return known.find((entry) => isAt(entry.id, bytes, start));
    return isAt(known.id, bytes, start) ? known : undefined;
  }
}

function isAt(id: string, bytes: Uint8Array, start: number): boolean {
  if (id.length !== CONNECTION_ID_LENGTH) return false;
  for (let i = 0; i < CONNECTION_ID_LENGTH; i++) {
    if (id.charCodeAt(i) !== bytes[start + i]) return false;
  }
  return true;
}
