import { deadline } from '../launch/deadline.ts';

/** Keeps everything that came, in order, and lets a test wait for what is still to come. */
export class Mailbox<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<(end: Error | undefined) => void>();
  #end: Error | undefined;

  add(item: T): void {
    this.all.push(item);
    for (const look of this.#waiting) look(undefined);
  }

  /** Nothing more will come: whoever waits in vain hears `why` at once. */
  end(why: string): void {
    this.#end = new Error(why);
    for (const look of this.#waiting) look(this.#end);
  }

  /**
   * The first that `matches`, whether it has come already or not. Rejects when there is none after
   * `ms` milliseconds, or when the end comes first; `what` names it in both errors.
   */
  first<U extends T>(matches: (item: T) => item is U, what: string, ms?: number): Promise<U>;
  first(matches: (item: T) => boolean, what: string, ms?: number): Promise<T>;
  async first(matches: (item: T) => boolean, what: string, ms = 15_000): Promise<T> {
    let looked = 0;
    let look: ((end: Error | undefined) => void) | undefined;
    const found = new Promise<T>((resolve, reject) => {
      look = (end) => {
        while (looked < this.all.length) {
          const item = this.all[looked++]!;
          if (matches(item)) return resolve(item);
        }
        if (end !== undefined) reject(new Error(`${what} did not come: ${end.message}`));
      };
      this.#waiting.add(look);
      look(this.#end);
    });
    try {
      return await deadline(found, ms, `${what} did not come within ${ms} ms`);
    } finally {
      this.#waiting.delete(look!);
    }
  }
}
