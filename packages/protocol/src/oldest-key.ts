/**
 * Answers the oldest key of a Map or a Set, to somebody who takes out each that is answered. It costs the
 * same however many have been taken out: an iterator that begins anew goes by all their places, until the
 * map or set is next laid out again, which takes as many additions as it has keys.
 */
export class OldestKey<K> {
  readonly #of: Pick<ReadonlySet<K>, 'keys'>;
  /**
   * Stands behind the last that was answered. It keeps every layout since its own in memory, so it may go
   * whenever nobody has asked for a while.
   */
  #position: WeakRef<Iterator<K, undefined>> | undefined;

  constructor(of: Pick<ReadonlySet<K>, 'keys'>) {
    this.#of = of;
  }

  /** Undefined when there is none. One that was answered and not taken out comes again after all others. */
  next(): K | undefined {
    const keys = this.#position?.deref();
    const next = keys?.next();
    if (next !== undefined && next.done !== true) return next.value;
    const anew = this.#of.keys();
    this.#position = new WeakRef(anew);
    return anew.next().value;
  }
}
