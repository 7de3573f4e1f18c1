import {
  CONNECTION_ID_LENGTH,
  formatConnectionId,
  GENERATIONS,
  MAX_SLOTS,
  RANDOM_BYTES,
  slotOfBytes,
  slotOfId,
} from './connection-id.ts';

/** What the table must know of a connection. */
export interface Identified {
  readonly id: string;
}

/**
 * The live connections of an edge, found by the bytes of their id. A slot serves many connections
 * one after another; its generation, which is part of the id, tells them apart, so that a late frame
 * for a connection that is gone never reaches the one that came after it.
 */
export class ConnectionTable<T extends Identified> {
  /** The first characters of every id that it mints. */
  readonly tag: string;
  readonly #random: (bytes: number) => Uint8Array;
  readonly #entries: (T | undefined)[] = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];

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
    const slot = this.#free.pop() ?? this.#grow();
    if (slot === undefined) return undefined;
    const generation = (this.#generations[slot]! + 1) % GENERATIONS;
    this.#generations[slot] = generation;
    return formatConnectionId(this.tag, slot, generation, this.#random(RANDOM_BYTES));
  }

  /** Makes a connection with a reserved id findable. */
  add(entry: T): void {
    this.#entries[slotOfId(entry.id)] = entry;
  }

  /** Gives the slot of a reserved id back, and forgets the connection in it. */
  release(id: string): void {
    const slot = slotOfId(id);
    this.#entries[slot] = undefined;
    this.#free.push(slot);
  }

  /** The connection whose id is `bytes[start, end)`, without making a string of it. */
  find(bytes: Uint8Array, start: number, end: number): T | undefined {
    const entry = this.#entries[slotOfBytes(bytes, start, end)];
    if (entry === undefined) return undefined;
    const { id } = entry;
    for (let i = 0; i < CONNECTION_ID_LENGTH; i++) {
      if (id.charCodeAt(i) !== bytes[start + i]) return undefined;
    }
    return entry;
  }

  get(id: string): T | undefined {
    const entry = this.#entries[slotOfId(id)];
    return entry?.id === id ? entry : undefined;
  }

  /** Slots there have been use for so far, free ones included. */
  get slots(): number {
    return this.#entries.length;
  }

  /** The connection in a slot; it keeps that as long as it lives. */
  at(slot: number): T | undefined {
    return this.#entries[slot];
  }

  #grow(): number | undefined {
    const slot = this.#entries.length;
    if (slot === MAX_SLOTS) return undefined;
    this.#entries.push(undefined);
    this.#generations.push(0);
    return slot;
  }
}
