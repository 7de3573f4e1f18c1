import type { EndTimer, Time } from '../ports/time.ts';

/** For the answers to the first heartbeat. */
const ROUND_MS = 250;

/**
 * Whether this edge has the bus, and has been part of it for a round of heartbeats, so that it knows who
 * is there. Who has to know that waits here.
 */
export class Settling {
  readonly #time: Time;
  readonly #settled: () => void;
  readonly #waiting: (() => void)[] = [];
  #isUp = false;
  #isSettled: boolean;
  #endRound: EndTimer = () => {};

  /** `isSettled`: nobody else can be there. `settled`: to be called once, before those who wait go on. */
  constructor(time: Time, isSettled: boolean, settled: () => void) {
    this.#time = time;
    this.#isSettled = isSettled;
    this.#settled = settled;
  }

  /** The bus is there. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Once it has settled it stays so, with the bus or without. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  up(): void {
    this.#isUp = true;
    if (!this.#isSettled) this.#endRound = this.#time.after(ROUND_MS, () => this.#settle());
  }

  /** Who waits goes on: nobody knows when the bus is back. */
  down(): void {
    this.#isUp = false;
    this.#endRound();
    this.#goOn();
  }

  /** Runs `then` when this edge has settled, or cannot because the bus is down. */
  whenSettled(then: () => void): void {
    if (this.#isSettled || !this.#isUp) return then();
    this.#waiting.push(then);
  }

  close(): void {
    this.#endRound();
  }

  #settle(): void {
    this.#isSettled = true;
    this.#settled();
    this.#goOn();
  }

  #goOn(): void {
    for (const then of this.#waiting.splice(0)) then();
  }
}
