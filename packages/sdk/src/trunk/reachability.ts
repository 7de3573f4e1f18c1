import { deferred } from '../deferred.ts';
import { errorMessage, TrunklineError } from '../errors.ts';
import type { Logger } from '../options.ts';

/** Whether a pool's endpoint can be reached: who waits for it is told, and the log once a failure. */
export class Reachability {
  readonly #name: string;
  readonly #logger: Logger;
  readonly #ready = deferred();
  readonly #tried = deferred();
  #failing = false;
  #stopped = false;

  /** `name` is what the log calls it. */
  constructor(name: string, logger: Logger) {
    this.#name = name;
    this.#logger = logger;
    // A pool that is never started, or not waited for, has nobody who listens.
    this.#ready.promise.catch(() => {});
    this.#tried.promise.catch(() => {});
  }

  /** Resolves when the first connection is up; rejects on 401, and when stopped before that. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Resolves when the first try has ended, whichever way; rejects as `ready`. */
  get tried(): Promise<void> {
    return this.#tried.promise;
  }

  connected(): void {
    this.#ready.resolve();
    this.#tried.resolve();
    if (this.#failing) this.#logger.info(`${this.#name} is connected again`);
    this.#failing = false;
  }

  failed(error: unknown): void {
    if (error instanceof TrunklineError && error.code === 'unauthorized') this.#reject(error);
    this.#tried.resolve();
    if (this.#failing || this.#stopped) return;
    this.#failing = true;
    const why = errorMessage(error);
    this.#logger.warn(`${this.#name} lacks a server connection, trying again: ${why}`);
  }

  stopped(): void {
    this.#stopped = true;
    this.#reject(new TrunklineError('not-connected', 'stopped before it was connected'));
  }

  #reject(error: TrunklineError): void {
    this.#ready.reject(error);
    this.#tried.reject(error);
  }
}
