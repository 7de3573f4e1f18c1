/** How long what follows a line about the same is only counted. */
const QUIET_MS = 10_000;
/** Of what was wrong, in characters: it may quote what the other side sent. */
const LENGTH = 300;

interface Told {
  until: number;
  more: number;
  latest: string;
}

/** How a line begins that says what happened to one of its kind, and to `count` more. */
export interface Wording {
  one(kind: string): string;
  more(kind: string, count: number): string;
}

/**
 * Tells the app of what others cause as often as they like: a line at once, and while it goes on one
 * every ten seconds with a count.
 */
export class CountedLog {
  readonly #hub: string;
  readonly #line: (text: string) => void;
  readonly #wording: Wording;
  readonly #told = new Map<string, Told>();

  /** `line` writes a line of the log. */
  constructor(hub: string, line: (text: string) => void, wording: Wording) {
    this.#hub = hub;
    this.#line = line;
    this.#wording = wording;
  }

  /** There must be few kinds, whatever others send. `why` is what was wrong with this one. */
  tell(kind: string, why: string, now: number): void {
    const told = this.#told.get(kind);
    if (told !== undefined) {
      told.more++;
      told.latest = why;
      return;
    }
    this.#told.set(kind, { until: now + QUIET_MS, more: 0, latest: why });
    this.#write(this.#wording.one(kind), why);
  }

  /** To be called about every second. */
  expire(now: number): void {
    for (const [kind, told] of this.#told) {
      if (now < told.until) continue;
      if (told.more === 0) {
        this.#told.delete(kind);
        continue;
      }
      this.#write(this.#wording.more(kind, told.more), told.latest);
      told.until = now + QUIET_MS;
      told.more = 0;
    }
  }

  #write(what: string, why: string): void {
    const short = why.length > LENGTH ? `${why.slice(0, LENGTH)}…` : why;
    const clean = short.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ');
    this.#line(`hub '${this.#hub}': ${what}: ${clean}`);
  }
}
