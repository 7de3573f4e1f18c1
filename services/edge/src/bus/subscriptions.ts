import type { Time } from '../ports/time.ts';
import type { BusStats } from './bus-stats.ts';
import type { EngineSubjects } from './engine-subjects.ts';
import type { Engine } from './engine.ts';

interface Waiting {
  readonly version: number;
  readonly run: () => void;
}

/** What an edge has subscribed to: changes of one turn are told together, and confirmed by one round trip. */
export class Subscriptions {
  readonly #engine: Engine;
  readonly #names: EngineSubjects;
  readonly #stats: BusStats;
  readonly #time: Pick<Time, 'endOfTurn'>;
  readonly #wanted = new Set<string>();
  /** What the engine has been told. */
  readonly #told = new Set<string>();
  /** Subjects that have been added or removed in this turn. */
  readonly #changed = new Set<string>();
  #waiting: Waiting[] = [];
  #isScheduled = false;
  #isUp = false;
  /** Counts what was added; and how far that is known to be in force, on this connection. */
  #version = 0;
  #inForce = -1;

  constructor(
    engine: Engine,
    names: EngineSubjects,
    stats: BusStats,
    time: Pick<Time, 'endOfTurn'>,
  ) {
    this.#engine = engine;
    this.#names = names;
    this.#stats = stats;
    this.#time = time;
  }

  add(subject: string): void {
    this.#wanted.add(subject);
    this.#version++;
    this.#change(subject);
  }

  remove(subject: string): void {
    this.#wanted.delete(subject);
    this.#change(subject);
  }

  /** False for what comes of a subject that has been given up. */
  has(subject: string): boolean {
    return this.#wanted.has(subject);
  }

  /** Runs `then` when all that was added before is in force: at once if it is. */
  whenInForce(then: () => void): void {
    if (this.#isUp && this.#inForce === this.#version) return then();
    this.#waiting.push({ version: this.#version, run: then });
    this.#schedule();
  }

  /** The bus is up: whoever waits may go on, once the engine has confirmed it. */
  start(): void {
    this.#isUp = true;
    this.#schedule();
  }

  /** The bus is down: nothing is in force. */
  pause(): void {
    this.#isUp = false;
    this.#inForce = -1;
  }

  #change(subject: string): void {
    this.#changed.add(subject);
    this.#stats.subscriptions = this.#wanted.size;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#time.endOfTurn(() => {
      this.#isScheduled = false;
      this.#tellEngine();
      if (this.#isUp && this.#waiting.length > 0) this.#ask();
    });
  }

  #tellEngine(): void {
    const added: string[] = [];
    const removed: string[] = [];
    for (const subject of this.#changed) {
      const isWanted = this.#wanted.has(subject);
      if (isWanted === this.#told.has(subject)) continue;
      if (isWanted) this.#told.add(subject);
      else this.#told.delete(subject);
      (isWanted ? added : removed).push(this.#names.nameOf(subject));
    }
    this.#changed.clear();
    if (added.length > 0) this.#engine.subscribe(added);
    if (removed.length > 0) this.#engine.unsubscribe(removed);
  }

  #ask(): void {
    const version = this.#version;
    this.#engine.sync(() => {
      if (!this.#isUp) return;
      this.#inForce = version;
      const ready = this.#waiting.filter((one) => one.version <= version);
      this.#waiting = this.#waiting.filter((one) => one.version > version);
      for (const { run } of ready) run();
    });
  }
}
