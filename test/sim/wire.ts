import type { Dice } from './dice.ts';
import type { Machine } from './clock.ts';

/** Now and then, of 1, a network takes much longer. */
const SLOW = 0.04;
const SLOW_MS = 60;

/** One direction between two machines: what goes in comes out in order, each after a while. */
export class Wire {
  readonly #to: Machine;
  readonly #dice: Dice;
  readonly #mostMs: number;
  #latest = 0;
  #isCut = false;

  constructor(to: Machine, dice: Dice, mostMs: number) {
    this.#to = to;
    this.#dice = dice;
    this.#mostMs = mostMs;
  }

  /** Runs `arrive` at the other end, if the wire is not cut meanwhile. */
  carry(arrive: () => void): void {
    const { clock } = this.#to;
    const mostMs = this.#dice.chance(SLOW) ? SLOW_MS : this.#mostMs;
    const at = Math.max(this.#latest, clock.now + this.#dice.roll() * mostMs);
    this.#latest = at;
    clock.in(at - clock.now, this.#to, () => {
      if (!this.#isCut) arrive();
    });
  }

  /** What is under way is lost, and nothing goes in any more. */
  cut(): void {
    this.#isCut = true;
  }
}
