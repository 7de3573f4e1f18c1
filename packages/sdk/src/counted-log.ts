import type { Logger } from '../options.ts';

/** How long what follows a line about a method is only counted. */
const QUIET_MS = 10_000;
/** Of what was wrong, in characters: schemas may quote what the client sent. */
const LENGTH = 300;

interface Told {
  until: number;
  more: number;
  latest: string;
}

/**
 * Tells the app which values of clients its schemas refuse: a line at once, and while it goes on one
 * every ten seconds with a count, since any client can cause it.
 */
export class RefusalLog {
  readonly #hub: string;
  readonly #logger: Logger;
  /** By method, so that there are few. */
  readonly #told = new Map<string, Told>();

  constructor(hub: string, logger: Logger) {
    this.#hub = hub;
    this.#logger = logger;
  }

  /** `why` is what was wrong with a call of the method, as detailed errors have it. */
  refused(method: string, why: string, now: number): void {
    const told = this.#told.get(method);
    if (told !== undefined) {
      told.more++;
      told.latest = why;
      return;
    }
    this.#told.set(method, { until: now + QUIET_MS, more: 0, latest: why });
    this.#tell(`a call of '${method}' was refused`, why);
  }

  /** To be called about every second. */
  expire(now: number): void {
    for (const [method, told] of this.#told) {
      if (now < told.until) continue;
      if (told.more === 0) {
        this.#told.delete(method);
        continue;
      }
      this.#tell(`${told.more} more calls of '${method}' were refused, the last`, told.latest);
      told.until = now + QUIET_MS;
      told.more = 0;
    }
  }

  #tell(what: string, why: string): void {
    const short = why.length > LENGTH ? `${why.slice(0, LENGTH)}…` : why;
    const line = short.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ');
    this.#logger.warn(`hub '${this.#hub}': ${what}: ${line}`);
  }
}
