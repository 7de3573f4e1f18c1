import { setTimeout as pause } from 'node:timers/promises';

import { expect } from 'vitest';

import type { Client } from '../conformance/client.ts';

/** Between an answer and the next call. */
const PACE_MS = 50;

/** A client that has nothing to do with what happens, and calls its hub all the time. */
export interface Bystander {
  /** Ends the calls: each was answered, and the connection has been the same all the time. */
  expectUndisturbed(): Promise<void>;
}

export function bystand(client: Client): Bystander {
  const end = new AbortController();
  const calls = (async () => {
    let number = 0;
    for (; !end.signal.aborted; number++) {
      expect(await client.connection.invoke('echo', number)).toBe(number);
      await pause(PACE_MS);
    }
    return number;
  })();
  // Whatever it is, `expectUndisturbed` tells.
  calls.catch(() => {});
  return {
    expectUndisturbed: async () => {
      end.abort();
      expect(await calls).toBeGreaterThan(0);
      expect(client.events.all).toEqual([]);
    },
  };
}
