import type { Random } from '../ports/random.ts';
import type { EndTimer } from '../ports/time.ts';
import { CLIENT_CLOSE_REASONS } from './close-reason.ts';
import type { CoreContext } from './core-context.ts';
import type { Leaver } from './hub-client.ts';
import type { HubDirectory } from './hub-directory.ts';
import { nextStepMs, STEP_MS } from './pace.ts';

/** Clients that a step looks at, for each that it may close: some are busy. */
const LOOKS = 10;
const LEAST_LOOKS = 1000;

/** How far an edge has drained. */
export interface DrainProgress {
  readonly state: 'off' | 'draining' | 'drained';
  /** Clients that are still connected. */
  readonly clients: number;
  /** Unix seconds: when it began, and when the last are closed whatever they do. */
  readonly since?: number;
  readonly until?: number;
}

/**
 * The edge is about to stop: it takes no new clients, tells app servers and other edges so, and sends
 * its clients away, to reconnect elsewhere. They go at a pace, for all of them would be back in one
 * instant, each when it is not busy: nothing of it runs at its app server, and it is not about to be open.
 * By the deadline all are gone.
 */
export class Draining {
  readonly #context: CoreContext;
  readonly #hubs: HubDirectory;
  readonly #random: Random;
  readonly #announce: (isOn: boolean) => void;
  /** Clients that have not been sent away. */
  readonly #left = new Set<Leaver>();
  /** Unix seconds, and the edge's clock (ms). */
  #since = 0;
  #deadline = 0;
  /** How many clients may be closed now; what is left of it is less than one. */
  #credit = 0;
  /** How many have been, in all. */
  #closed = 0;
  #waiting: (() => void)[] = [];
  #endWaiting: EndTimer | undefined;

  /** `announce`: says to the other edges whether this one drains. */
  constructor(
    context: CoreContext,
    hubs: HubDirectory,
    random: Random,
    announce: (isOn: boolean) => void,
  ) {
    this.#context = context;
    this.#hubs = hubs;
    this.#random = random;
    this.#announce = announce;
  }

  get isOn(): boolean {
    return this.#context.isDraining;
  }

  get progress(): DrainProgress {
    const clients = this.#clients();
    if (!this.isOn) return { state: 'off', clients };
    const until = this.#since + this.#context.limits.drainMs / 1000;
    const state = clients > 0 ? 'draining' : 'drained';
    return { state, clients, since: this.#since, until };
  }

  /** Does nothing where it has begun already: the deadline stays. */
  begin(): void {
    if (this.isOn) return;
    const { time, limits, servers, log } = this.#context;
    this.#context.isDraining = true;
    this.#since = time.unixSeconds();
    this.#deadline = time.now() + limits.drainMs;
    const { drainRate: rate, drainMs } = limits;
    log.info({ clients: this.#clients(), rate, seconds: drainMs / 1000 }, 'edge drains');
    this.#announce(true);
    for (const server of servers) server.tellOfEnd();
    this.#step();
  }

  /** The edge does not stop after all: it takes new clients again. False where its end is settled. */
  end(): boolean {
    if (this.#waiting.length > 0) return false;
    if (!this.isOn) return true;
    this.#context.isDraining = false;
    for (const server of this.#context.servers) server.endsNot();
    this.stop();
    this.#left.clear();
    this.#context.log.info({ clients: this.#clients() }, 'edge drains no more');
    this.#announce(false);
    return true;
  }

  /** Runs `then`, which ends the edge, when no client is left: at the deadline at the latest. */
  whenDone(then: () => void): void {
    if (this.#clients() === 0) then();
    else this.#waiting.push(then);
  }

  /** Nothing goes on by itself. */
  stop(): void {
    this.#endWaiting?.();
    this.#waiting = [];
  }

  #step(): void {
    // Some may have come in that were let in before it began.
    if (this.#left.size === 0) this.#gather();
    this.#sendAway();
    if (this.#clients() === 0) for (const then of this.#waiting.splice(0)) then();
    this.#endWaiting = this.#context.time.after(nextStepMs(this.#random), () => this.#step());
  }

  #gather(): void {
    for (const client of this.#context.unsettled) this.#left.add(client);
    for (const hub of this.#hubs) for (const client of hub.model.members) this.#left.add(client);
  }

  /** As many as the pace allows; faster where that would leave some for the deadline. */
  #sendAway(): void {
    const { time, limits } = this.#context;
    const left = this.#clients();
    const steps = Math.max(1, Math.floor((this.#deadline - time.now()) / STEP_MS));
    const pace = Math.max((limits.drainRate * STEP_MS) / 1000, left / steps);
    this.#credit = (this.#credit % 1) + pace;
    // What the steps to come cannot close has to go now, whatever runs.
    const due = this.#closed + left - (steps - 1) * pace;
    this.#closeIdle(Math.max(LEAST_LOOKS, LOOKS * pace));
    for (const client of this.#left) {
      if (this.#credit < 1 || this.#closed >= due) return;
      this.#close(client);
    }
  }

  /** Those that nothing runs for, of the next `most` clients. */
  #closeIdle(most: number): void {
    let looks = Math.min(most, this.#left.size);
    for (const client of this.#left) {
      if (this.#credit < 1 || looks-- <= 0) return;
      if (!client.isBusy) this.#close(client);
      else if (this.#left.delete(client)) this.#left.add(client);
    }
  }

  #close(client: Leaver): void {
    this.#left.delete(client);
    if (!client.isOpen) return;
    this.#credit--;
    this.#closed++;
    client.close(CLIENT_CLOSE_REASONS.draining);
  }

  #clients(): number {
    let sum = 0;
    for (const { connections } of this.#hubs) {
      for (const count of Object.values(connections)) sum += count;
    }
    return sum;
  }
}
