import { setTimeout as pause } from 'node:timers/promises';

import { expect } from 'vitest';

import type { Client } from '../conformance/client.ts';

/** Between an answer and the next call. */
const PACE_MS = 50;

/** A client that has nothing to do with what happens, and calls its hub all the time. */
export class Bystander {
  readonly #client: Client;
  readonly #calls: Promise<number>;
  #done = false;

  constructor(client: Client) {
    this.#client = client;
    this.#calls = this.#call();
    // Whatever it is, `expectUndisturbed` tells.
    this.#calls.catch(() => {});
  }

  /** Ends the calls: each was answered, and the connection has been the same all the time. */
  async expectUndisturbed(): Promise<void> {
    this.#done = true;
    expect(await this.#calls).toBeGreaterThan(0);
    expect(this.#client.events.all).toEqual([]);
  }

  async #call(): Promise<number> {
    let number = 0;
    for (; !this.#done; number++) {
      expect(await this.#client.connection.invoke('echo', number)).toBe(number);
      await pause(PACE_MS);
    }
    return number;
  }
}
