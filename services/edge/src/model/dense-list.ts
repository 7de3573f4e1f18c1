/**
 * An unordered list that an item leaves at once, since it knows its own place, under the key that
 * the list is made with. An item is in one list per key; outside of it, its place is -1.
 */
export class DenseList<K extends string, T extends Record<K, number>> {
  readonly #key: K;
  readonly #items: T[] = [];

  constructor(key: K) {
    this.#key = key;
  }

  /** The list itself, not a copy: it changes with `add` and `delete`. */
  get items(): readonly T[] {
    return this.#items;
  }

  has(item: T): boolean {
    return this.#items[item[this.#key]] === item;
  }

  add(item: T): void {
    this.#place(item, this.#items.push(item) - 1);
  }

  delete(item: T): void {
    const place = item[this.#key];
    if (place < 0) return;
    const last = this.#items.pop()!;
    if (last !== item) {
      this.#items[place] = last;
      this.#place(last, place);
    }
    this.#place(item, -1);
  }

  #place(item: Record<K, number>, place: number): void {
    item[this.#key] = place;
  }
}
