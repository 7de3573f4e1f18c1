import type { Time } from '../ports/time.ts';

/** What collects writes during a turn of the event loop. */
export interface Flushable {
  flush(): void;
}

/** Sends what was written in one turn together, at its end, so that it shares frames and answers. */
export class TurnFlusher {
  readonly #time: Pick<Time, 'endOfTurn'>;
  #dirty: Flushable[] = [];
  readonly #flushAll = (): void => {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const one of dirty) one.flush();
  };

  constructor(time: Pick<Time, 'endOfTurn'>) {
    this.#time = time;
  }

  /** Each must add itself once a turn only. */
  add(one: Flushable): void {
    if (this.#dirty.push(one) === 1) this.#time.endOfTurn(this.#flushAll);
  }
}
