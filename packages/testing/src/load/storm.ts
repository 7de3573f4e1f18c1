import type { ClientOwner } from './client.ts';
import { LoadClient } from './client.ts';
import { isPing } from './hub-messages.ts';
import { keepAlive } from './keep-alive.ts';

export interface StormOptions {
  /** Who comes, in this order. The hub tells everybody of each by a message that ends with the user. */
  newcomers: readonly { readonly token: string; readonly userId: string }[];
  /** How many come in a second; all at once when not given. */
  perSecond?: number | undefined;
}

/** What became of them. Seconds are from the first connect on. */
export interface StormResult {
  /** Whose handshake was answered, and when the last of these was. */
  opened: number;
  openedSeconds: number;
  /** Who has heard of themselves, and when the last of these did. */
  heard: number;
  heardSeconds: number;
  /** The median and the longest time from a client's connect to its handshake response. */
  p50OpenSeconds: number;
  maxOpenSeconds: number;
  deliveries: number;
  /** Clients whose connection ended, by what they know of why. */
  lost: Record<string, number>;
}

/** How often the next are let go. */
const TICK_MS = 10;
/** It is over when all have come, or have been lost, and nothing has come for so long. */
const QUIET_MS = 2_000;

interface Newcomer {
  readonly startedAt: number;
  /** The end of the message of itself; undefined when it has come. */
  own: Buffer | undefined;
}

/** Clients that all come at once to a hub whose OnConnected sends to everybody. Some may be lost. */
export function storm(url: string, options: StormOptions): Promise<StormResult> {
  return new Storm(url, options).run();
}

class Storm implements ClientOwner {
  readonly #host: string;
  readonly #port: number;
  readonly #options: StormOptions;
  readonly #startedAt = performance.now();
  readonly #newcomers = new Map<LoadClient, Newcomer>();
  readonly #open: LoadClient[] = [];
  readonly #openMs: number[] = [];
  readonly #lost = new Map<string, number>();
  #settled = 0;
  #heard = 0;
  #deliveries = 0;
  #openedAt = 0;
  #heardAt = 0;
  #latestAt = this.#startedAt;

  constructor(url: string, options: StormOptions) {
    const { hostname, port } = new URL(url);
    this.#host = hostname;
    this.#port = Number(port);
    this.#options = options;
    keepAlive(this.#open);
  }

  run(): Promise<StormResult> {
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        this.#connectDue();
        if (!this.#isOver) return;
        clearInterval(timer);
        resolve(this.#result());
      }, TICK_MS);
    });
  }

  opened(client: LoadClient): void {
    const now = performance.now();
    this.#open.push(client);
    this.#openMs.push(now - this.#newcomers.get(client)!.startedAt);
    this.#openedAt = this.#latestAt = now;
    this.#settled += 1;
  }

  closed(client: LoadClient, reason: string): void {
    const at = this.#open.indexOf(client);
    if (at === -1) this.#settled += 1;
    else this.#open.splice(at, 1);
    this.#lost.set(reason, (this.#lost.get(reason) ?? 0) + 1);
    this.#latestAt = performance.now();
  }

  received(client: LoadClient, bytes: Buffer, start: number, end: number): void {
    if (isPing(start, end)) return;
    this.#latestAt = performance.now();
    this.#deliveries += 1;
    const newcomer = this.#newcomers.get(client)!;
    const { own } = newcomer;
    if (own === undefined || bytes.compare(own, 0, own.length, end - own.length, end) !== 0) return;
    newcomer.own = undefined;
    this.#heard += 1;
    this.#heardAt = this.#latestAt;
  }

  #connectDue(): void {
    const { newcomers, perSecond = Infinity } = this.#options;
    const due = ((performance.now() - this.#startedAt) / 1000) * perSecond;
    for (let next = this.#newcomers.size; next < Math.min(due, newcomers.length); next++) {
      const { token, userId } = newcomers[next]!;
      const own = Buffer.from(`"${userId}"]}`);
      const where = { host: this.#host, port: this.#port };
      const client = new LoadClient({ ...where, token, number: next }, this);
      this.#newcomers.set(client, { startedAt: performance.now(), own });
    }
  }

  get #isOver(): boolean {
    if (this.#settled < this.#options.newcomers.length) return false;
    return performance.now() - this.#latestAt >= QUIET_MS;
  }

  #result(): StormResult {
    const openMs = this.#openMs.toSorted((a, b) => a - b);
    const seconds = (at: number): number => (at - this.#startedAt) / 1000;
    return {
      opened: openMs.length,
      openedSeconds: seconds(this.#openedAt),
      heard: this.#heard,
      heardSeconds: seconds(this.#heardAt),
      p50OpenSeconds: (openMs[openMs.length >> 1] ?? 0) / 1000,
      maxOpenSeconds: (openMs.at(-1) ?? 0) / 1000,
      deliveries: this.#deliveries,
      lost: Object.fromEntries(this.#lost),
    };
  }
}
