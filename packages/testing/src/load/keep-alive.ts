import type { LoadClient } from './client.ts';
import { PING_FRAME } from './hub-messages.ts';

/** Clients ping every 15 s (client protocol reference, section 3.6), a share of them each tick. */
const PING_INTERVAL_MS = 15_000;
const PING_TICKS = 60;
const TICK_MS = PING_INTERVAL_MS / PING_TICKS;

/**
 * Has clients ping for as long as the process runs; the list may grow and shrink. A process that is busy
 * has its timer late: then the shares of all ticks that are due go at once, or clients would count as gone.
 */
export function keepAlive(clients: readonly LoadClient[]): void {
  const start = performance.now();
  let done = 0;
  const ping = (): void => {
    const due = Math.floor((performance.now() - start) / TICK_MS);
    for (done = Math.max(done, due - PING_TICKS); done < due; done++) {
      for (let at = done % PING_TICKS; at < clients.length; at += PING_TICKS) {
        clients[at]!.write(PING_FRAME);
      }
    }
  };
  setInterval(ping, TICK_MS).unref();
}
