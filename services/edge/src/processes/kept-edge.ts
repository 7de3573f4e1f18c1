import type { ChildProcess } from 'node:child_process';
import type { Logger } from '@trunkline/telemetry';
import type { EndTimer, Time } from '../ports/time.ts';
import { BackOff } from './back-off.ts';
import type { End } from './edge-process.ts';
import { EdgeProcess } from './edge-process.ts';

export interface KeptEdgeParts {
  readonly id: string;
  /** Starts its process, with a channel to it. */
  fork(): ChildProcess;
  /** It has ended for good, since somebody has to change something: what. */
  refused(why: string): void;
  readonly time: Pick<Time, 'now' | 'after'>;
  readonly log: Logger;
}

/** One of the edges of a parent: started again whenever its process ends. */
export class KeptEdge {
  readonly id: string;
  /** How often it was started again. */
  restarts = 0;
  /** Resolves when it listens for the first time. */
  readonly listening: Promise<void>;
  /** Resolves when its process has ended and is not started again. */
  readonly ended: Promise<void>;
  readonly #parts: KeptEdgeParts;
  readonly #backOff = new BackOff();
  #listens: () => void = () => {};
  #end: () => void = () => {};
  #process: EdgeProcess | undefined;
  /** Of its next start, or, once it is to end, of its being killed. */
  #endTimer: EndTimer = () => {};
  #killAt = Infinity;
  #hasListened = false;
  #isStopping = false;

  constructor(parts: KeptEdgeParts) {
    this.id = parts.id;
    this.#parts = parts;
    this.listening = new Promise((resolve) => (this.#listens = resolve));
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  get isAlive(): boolean {
    return this.#process !== undefined;
  }

  /** Where its admin port is, while there is one. */
  get adminUrl(): string | undefined {
    return this.#process?.adminUrl;
  }

  start(): void {
    this.#process = new EdgeProcess(this.#parts.fork(), () => {
      this.#hasListened = true;
      this.#listens();
    });
    void this.#process.ended.then((end) => this.#hasEnded(end));
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.signal(name);
  }

  /**
   * Has it end, by a signal, and not start again; `ended` says when. One that has not ended after so many
   * milliseconds is killed; being told again to end may make that earlier, and never later.
   */
  stop(signal: NodeJS.Signals, withinMs: number): void {
    this.#isStopping = true;
    if (this.isAlive) {
      this.signal(signal);
      this.#killIn(withinMs);
    } else {
      this.#endTimer();
      this.#end();
    }
  }

  #killIn(ms: number): void {
    const at = this.#parts.time.now() + ms;
    if (at >= this.#killAt) return;
    this.#killAt = at;
    this.#endTimer();
    this.#endTimer = this.#parts.time.after(ms, () => {
      this.#parts.log.error({ edgeId: this.id }, 'edge does not end: killing it');
      this.signal('SIGKILL');
    });
  }

  #hasEnded(end: End): void {
    const wasRestarted = this.#hasListened && !end.hasListened;
    this.#process = undefined;
    if (this.#isStopping) {
      this.#endTimer();
      this.#end();
    }
    // One that cannot start again is tried for on and on: others serve, and need not end for it.
    else if (end.refused !== undefined && !wasRestarted) {
      this.#end();
      this.#parts.refused(end.refused);
    } else this.#startAgain(end);
  }

  #startAgain({ how, refused, ranMs }: End): void {
    const inMs = this.#backOff.after(ranMs);
    this.#parts.log.error(
      { edgeId: this.id, how: refused ?? how, inMs },
      'edge has ended: starting it again',
    );
    this.#endTimer = this.#parts.time.after(inMs, () => {
      this.restarts++;
      this.start();
    });
  }
}
