import {
  formatConnectionId,
  GENERATIONS,
  MAX_SLOTS,
  RANDOM_BYTES,
  slotOfBytes,
  slotOfId,
  standsIn,
} from './connection-id.ts';
import { ForeignIds } from './foreign-ids.ts';

/** What the table must know of a connection. */
export interface Identified {
  readonly id: string;
}

/** The slot of a connection whose id another edge has minted. */
interface Place extends Identified {
  readonly slot: number;
}

/**
 * The live connections of an edge, found by the bytes of their id. A slot serves many connections
 * one after another; its generation, which is part of the id, tells them apart, so that a late frame
 * for a connection that is gone never reaches the one that came after it.
 *
 * A connection whose id another edge has minted has a slot here too, which its id does not name. An
 * edge that has none of them looks for none.
 */
export class ConnectionTable<T extends Identified> {
  /** The first characters of every id that it mints. */
  readonly tag: string;
  readonly #random: (bytes: number) => Uint8Array;
  readonly #entries: (T | undefined)[] = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];
  readonly #foreign = new ForeignIds<Place>();

  /** `random(n)` gives n bytes that nobody can guess. */
  constructor(tag: string, random: (bytes: number) => Uint8Array) {
    this.tag = tag;
    this.#random = random;
  }

  /** Ids that are reserved, by connections or for ones to come. */
  get size(): number {
    return this.#entries.length - this.#free.length;
  }

  /** Mints an id and keeps its slot until `release(id)`; undefined when every slot is taken. */
  reserve(): string | undefined {
    const slot = this.#takeSlot();
    if (slot === undefined) return undefined;
    const generation = (this.#generations[slot]! + 1) % GENERATIONS;
    this.#generations[slot] = generation;
    return formatConnectionId(this.tag, slot, generation, this.#random(RANDOM_BYTES));
  }

  /** Keeps a slot for an id that another edge has minted; false if it has one, or every slot is taken. */
  reserveFor(id: string): boolean {
    if (this.keeps(id)) return false;
    const slot = this.#takeSlot();
    if (slot === undefined) return false;
    this.#foreign.add({ id, slot });
    return true;
  }

  /** Whether an id that another edge has minted has a slot here. */
  keeps(id: string): boolean {
    return this.#foreign.get(id) !== undefined;
  }

  /** Makes a connection with a reserved id findable. */
  add(entry: T): void {
    this.#entries[this.slotOf(entry.id)] = entry;
  }

  /** Gives the slot of a reserved id back, and forgets the connection in it. */
  release(id: string): void {
    const slot = this.slotOf(id);
    this.#foreign.delete(id);
    this.#entries[slot] = undefined;
    this.#free.push(slot);
  }

  /** The connection whose id is `bytes[start, end)`, without making a string of it. */
  find(bytes: Uint8Array, start: number, end: number): T | undefined {
    const entry = this.#entries[slotOfBytes(bytes, start, end)];
    if (entry !== undefined && standsIn(entry.id, bytes, start)) return entry;
    if (this.#foreign.size === 0) return undefined;
    const place = this.#foreign.find(bytes, start, end);
    return place && this.#entries[place.slot];
  }

  get(id: string): T | undefined {
    const entry = this.#entries[slotOfId(id)];
    if (entry?.id === id) return entry;
    if (this.#foreign.size === 0) return undefined;
    const place = this.#foreign.get(id);
    return place && this.#entries[place.slot];
  }

  /** Slots there have been use for so far, free ones included. */
  get slots(): number {
    return this.#entries.length;
  }

  /** The connection in a slot; it keeps that as long as it lives. */
  at(slot: number): T | undefined {
    return this.#entries[slot];
  }

  /** The slot of a reserved id. */
  slotOf(id: string): number {
    return id.startsWith(this.tag) ? slotOfId(id) : this.#foreign.get(id)!.slot;
  }

  #takeSlot(): number | undefined {
    return this.#free.pop() ?? this.#grow();
  }

  #grow(): number | undefined {
    const slot = this.#entries.length;
    if (slot === MAX_SLOTS) return undefined;
    this.#entries.push(undefined);
    this.#generations.push(0);
    return slot;
  }
}
