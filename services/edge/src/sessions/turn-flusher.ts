/** What collects writes during a turn of the event loop. */
export interface Flushable {
  flush(): void;
}

/** Sends what was written in one turn together, at its end, so that it shares frames and answers. */
export class TurnFlusher {
  #dirty: Flushable[] = [];
  readonly #flushAll = (): void => {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const one of dirty) one.flush();
  };

  /** Each must add itself once a turn only. */
  add(one: Flushable): void {
    if (this.#dirty.push(one) === 1) setImmediate(this.#flushAll);
  }
}
