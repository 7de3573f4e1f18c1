import type { Bus } from '../ports/bus.ts';

/** How long somebody waits at most for a subscription to be in force. */
const PATIENCE_MS = 1_000;
const PREFIX = 'hub.';

/** What all edges that have a hub hear. */
export function hubSubject(hub: string): string {
  return PREFIX + hub;
}

interface Waiter {
  readonly run: () => void;
  deadline: number;
}

/** The hubs whose subjects this edge has subscribed to, and who waits for that to be in force. */
export class FollowedHubs {
  readonly #bus: Bus;
  /** Those that are not heard yet. */
  readonly #new = new Map<string, Waiter[]>();

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  add(hub: string): void {
    const waiters: Waiter[] = [];
    this.#new.set(hub, waiters);
    this.#bus.subscribe(hubSubject(hub));
    this.#bus.whenSubscribed(() => {
      // It may have been given up, and taken up again, meanwhile.
      if (this.#new.get(hub) === waiters) this.#heard(hub, waiters);
    });
  }

  delete(hub: string): void {
    this.#bus.unsubscribe(hubSubject(hub));
    this.#heard(hub, this.#new.get(hub) ?? []);
  }

  whenHeard(hub: string, now: number, run: () => void): void {
    const waiters = this.#new.get(hub);
    if (waiters === undefined) run();
    else waiters.push({ run, deadline: now + PATIENCE_MS });
  }

  /** The bus is down: clients and app servers of this edge go on without it. */
  giveUp(): void {
    for (const [hub, waiters] of this.#new) this.#heard(hub, waiters);
  }

  /** `late`: how long this edge itself slept. */
  expire(now: number, late: number): void {
    for (const waiters of this.#new.values()) {
      for (const waiter of waiters) waiter.deadline += late;
      const due = waiters.filter(({ deadline }) => deadline <= now).length;
      for (const { run } of waiters.splice(0, due)) run();
    }
  }

  #heard(hub: string, waiters: Waiter[]): void {
    this.#new.delete(hub);
    for (const { run } of waiters) run();
  }
}
