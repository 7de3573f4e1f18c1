/**
 * Numbers the changes of all sets of connections at an edge: of its hubs, groups and users. No number
 * comes twice, so a set that still has its number is still the same, and a group that was forgotten and
 * is made anew does not look like the one before it.
 */
export class Changes {
  #last = 0;

  next(): number {
    return ++this.#last;
  }
}
