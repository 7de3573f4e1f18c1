import { DIGEST_MS } from '@trunkline/telemetry';
import type { EdgeContext } from './edge-context.ts';
import type { HubDirectory } from './hub-directory.ts';
import type { Expiring } from './watch.ts';

interface Wait {
  /** Unix time, in ISO format. */
  readonly since: string;
  /** When it is told again, on the edge's clock. */
  dueAt: number;
}

/** Tells of hubs whose clients wait for an app server: when that begins, and every ten seconds. */
export class WaitingLog implements Expiring {
  readonly #context: EdgeContext;
  readonly #hubs: HubDirectory;
  readonly #waits = new Map<string, Wait>();

  constructor(context: EdgeContext, hubs: HubDirectory) {
    this.#context = context;
    this.#hubs = hubs;
  }

  expire(now: number): void {
    for (const name of this.#waits.keys()) {
      if ((this.#hubs.get(name)?.waiting.size ?? 0) === 0) this.#waits.delete(name);
    }
    for (const { name, waiting, servers } of this.#hubs) {
      if (waiting.size > 0) this.#tell(name, waiting.size, servers.size, now);
    }
  }

  #tell(hub: string, waiting: number, serverConnections: number, now: number): void {
    const { time, digest } = this.#context;
    let wait = this.#waits.get(hub);
    if (wait === undefined) {
      const since = new Date(time.unixSeconds() * 1000).toISOString();
      this.#waits.set(hub, (wait = { since, dueAt: now }));
    }
    if (now < wait.dueAt) return;
    wait.dueAt = now + DIGEST_MS;
    const latest = { waiting, waitingSince: wait.since };
    digest.warn({ hub, serverConnections }, 'clients wait for an app server', latest);
  }
}
