import type { LoadClient } from './client.ts';
import { PING_FRAME } from './hub-messages.ts';

/** Clients ping every 15 s (client protocol reference, section 3.6), a share of them each tick. */
const PING_INTERVAL_MS = 15_000;
const PING_TICKS = 60;

/** Has clients ping for as long as the process runs; the list may grow and shrink. */
export function keepAlive(clients: readonly LoadClient[]): void {
  let tick = 0;
  const ping = (): void => {
    tick = (tick + 1) % PING_TICKS;
    for (let at = tick; at < clients.length; at += PING_TICKS) clients[at]!.write(PING_FRAME);
  };
  setInterval(ping, PING_INTERVAL_MS / PING_TICKS).unref();
}
