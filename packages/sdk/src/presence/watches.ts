import { TrunklineError } from '../errors.ts';

interface Watch {
  stop(): void;
}

/** What looks at a hub's connections by itself, again and again, until it is stopped, or its server is. */
export class Watches {
  readonly #running = new Set<Watch>();
  #isOver = false;

  /** Throws TrunklineError `not-connected` when the server has been stopped: nobody would end it. */
  add(watch: Watch): void {
    if (this.#isOver) throw new TrunklineError('not-connected', 'the server has been stopped');
    this.#running.add(watch);
  }

  delete(watch: Watch): void {
    this.#running.delete(watch);
  }

  /** Stops all, and starts none any more. */
  stop(): void {
    this.#isOver = true;
    for (const watch of this.#running) watch.stop();
  }
}
