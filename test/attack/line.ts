import { setTimeout as pass } from 'node:timers/promises';

/** A gigabit a second: what the network brings, where loopback would bring twenty times as much. */
const BYTES_PER_MS = 125_000;
/** How far ahead of its time the line may be, so that timers do not slow it down. */
const AHEAD_MS = 2;

/**
 * The network that an attacker is on, shared by all its connections: more than it carries no server
 * ever sees, however fast the attacker's machine is.
 */
export class Line {
  #freeAt = 0;

  /** Resolves when so many bytes have their turn. */
  async carry(bytes: number): Promise<void> {
    const now = performance.now();
    this.#freeAt = Math.max(this.#freeAt, now) + bytes / BYTES_PER_MS;
    const wait = this.#freeAt - now;
    if (wait > AHEAD_MS) await pass(wait);
  }
}
