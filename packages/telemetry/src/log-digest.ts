import type { Logger } from 'pino';
import { printable } from './printable.ts';

/** How long repetitions of a cause are counted before they are told. */
export const DIGEST_MS = 10_000;
/** Causes of one message that are told apart; those beyond share one line. */
const MAX_CAUSES = 50;
/** What is looked at of an error's stack, in characters: its end, since it begins with the message. */
const MAX_STACK = 2048;
/** How often `startDigest` looks whether there is something to tell. */
const TICK_MS = 1000;

type Level = 'info' | 'warn' | 'error';
type Fields = Readonly<Record<string, unknown>>;

/** One cause: its line has been written, and what has happened since is counted. */
interface Repeats {
  readonly level: Level;
  readonly message: string;
  readonly cause: Fields;
  latest: Fields;
  count: number;
  /** Unix time of the line before, and when the next is due on the digest's own clock (both ms). */
  since: number;
  dueAt: number;
}

/**
 * The log of whatever a peer can cause, so that no peer can flood it. The first time that a cause
 * shows is a line at once, with `count: 1`; what follows is counted, and told every ten seconds in
 * one line with `count` and `since`. The counts of a cause's lines add up to how often it happened.
 *
 * A cause is a message (a text of the code), its level and the fields `cause`. Those say *what* went
 * wrong, for whom: a reason out of a closed set, a hub, an origin, a server id. Texts among them may
 * come from outside: they are masked, cut and made printable here. No more than 50 causes of one
 * message are told apart at a time: those beyond share a line with `cause: "others"`. Fields `latest`
 * are shown but do not tell causes apart: a connection id, an address, an error. The line has those
 * of the latest time.
 *
 * `expire` must be called about once a second, and `flush` at the end of the process.
 */
export class LogDigest {
  readonly #log: Logger;
  readonly #now: () => number;
  /** By level and message, then by the text of the cause. */
  readonly #topics = new Map<string, Map<string, Repeats>>();

  /** `now`: milliseconds on a clock that never jumps. */
  constructor(log: Logger, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  info(cause: Fields, message: string, latest?: Fields): void {
    this.#note('info', message, cause, latest);
  }

  warn(cause: Fields, message: string, latest?: Fields): void {
    this.#note('warn', message, cause, latest);
  }

  error(cause: Fields, message: string, latest?: Fields): void {
    this.#note('error', message, cause, latest);
  }

  /** Tells what has been counted for long enough. `now` is of the digest's own clock. */
  expire(now: number): void {
    for (const [topic, causes] of this.#topics) {
      for (const [key, repeats] of causes) {
        if (now < repeats.dueAt) continue;
        if (repeats.count === 0) causes.delete(key);
        else this.#tell(repeats);
      }
      if (causes.size === 0) this.#topics.delete(topic);
    }
  }

  /** Tells all that has been counted, as nothing will be any more. */
  flush(): void {
    this.expire(Infinity);
  }

  #note(level: Level, message: string, cause: Fields, latest: Fields = {}): void {
    if (!this.#log.isLevelEnabled(level)) return;
    const topic = `${level} ${message}`;
    let causes = this.#topics.get(topic);
    if (causes === undefined) this.#topics.set(topic, (causes = new Map<string, Repeats>()));
    let shown = presentable(cause);
    let key = JSON.stringify(shown);
    if (!causes.has(key) && causes.size >= MAX_CAUSES) {
      shown = { cause: 'others' };
      key = '';
    }
    const repeats = causes.get(key);
    if (repeats !== undefined) {
      repeats.count++;
      repeats.latest = latest;
      return;
    }
    const first = { level, message, cause: shown, latest, count: 1, since: 0, dueAt: 0 };
    causes.set(key, first);
    this.#tell(first);
  }

  #tell(repeats: Repeats): void {
    const { level, message, cause, latest, count, since } = repeats;
    const start = since === 0 ? {} : { since: new Date(since).toISOString() };
    this.#log[level]({ ...cause, ...presentable(latest), count, ...start }, message);
    repeats.latest = {};
    repeats.count = 0;
    repeats.since = Date.now();
    repeats.dueAt = this.#now() + DIGEST_MS;
  }
}

/** A digest with a timer of its own. `stop` tells what has been counted, and ends the timer. */
export function startDigest(log: Logger): { digest: LogDigest; stop: () => void } {
  const digest = new LogDigest(log);
  const timer = setInterval(() => digest.expire(performance.now()), TICK_MS).unref();
  const stop = (): void => {
    clearInterval(timer);
    digest.flush();
  };
  return { digest, stop };
}

function presentable(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, shown(value)]));
}

function shown(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  return value instanceof Error ? shortError(value) : value;
}

/** An error of the same type with a short message, and those lines of its stack that are no text. */
function shortError(error: Error): unknown {
  const frames = error.stack?.slice(-MAX_STACK).match(/^ +at .*$/gm) ?? [];
  const message = printable(error.message);
  const stack = [message, ...frames.map(printable)].join('\n');
  return Object.create(Object.getPrototypeOf(error), {
    message: { value: message },
    stack: { value: stack },
  });
}
