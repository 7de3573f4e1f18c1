import { preciseNow } from './arrivals.ts';
import { LoadClient, type ClientOwner } from './client.ts';
import { isPing } from './hub-messages.ts';
import { keepAlive } from './keep-alive.ts';

/** How long a server may take to answer the close frames, in milliseconds. */
const CLOSE_TIMEOUT_MS = 5_000;

export interface ConnectOptions {
  /** One client for each token. */
  tokens: readonly string[];
  /** How many clients may be connecting at a time. */
  concurrency: number;
}

/** Hears every hub message but pings. Bytes are lent for the call. */
export type RecordHandler = (client: LoadClient, bytes: Buffer, start: number, end: number) => void;

type Begin = (done: () => void, fail: (error: Error) => void) => void;

/**
 * All clients of one load generator. One thing happens at a time: clients connect, a workload runs,
 * clients leave. Losing a client fails what happens, or what is asked for next.
 */
export class Swarm implements ClientOwner {
  /** The clients whose handshake is done. */
  readonly clients: LoadClient[] = [];
  readonly #host: string;
  readonly #port: number;
  /** Clients ever started. Their numbers, and with them their cookies, never come back. */
  #started = 0;
  #tokens: string[] = [];
  #connecting = 0;
  #leaving: Set<LoadClient> | undefined;
  #job: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #onRecord: RecordHandler | undefined;
  /** Messages that came while no workload ran. */
  #unasked = 0;
  /** When those have come, once somebody wants to know. */
  #arrivals: number[] | undefined;
  #failure: Error | undefined;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#host = hostname;
    this.#port = Number(port);
    keepAlive(this.clients);
  }

  /** Adds clients; resolves when all of them have done the hub handshake. */
  connect({ tokens, concurrency }: ConnectOptions): Promise<void> {
    return this.#run(() => {
      this.#tokens = [...tokens];
      for (let slot = 0; slot < concurrency; slot++) this.#connectNext();
    });
  }

  /** Runs a workload from `begin` until it calls `done`, or fails because of an error. */
  run(begin: Begin, onRecord: RecordHandler): Promise<void> {
    this.#onRecord = onRecord;
    return this.#run(begin).finally(() => (this.#onRecord = undefined));
  }

  /** How many messages have come while no workload ran, since this was asked last. */
  takeUnasked(): number {
    const unasked = this.#unasked;
    this.#unasked = 0;
    return unasked;
  }

  /** From now on it is noted when messages come while no workload runs. */
  noteArrivals(): void {
    this.#arrivals = [];
  }

  /** When they have come since; no more is noted. */
  takeArrivals(): number[] {
    const arrivals = this.#arrivals ?? [];
    this.#arrivals = undefined;
    this.#unasked = 0;
    return arrivals;
  }

  /** Closes all connections; resolves when they have ended. */
  close(): Promise<void> {
    const leaving = new Set(this.clients.splice(0));
    const late = setTimeout(() => leaving.forEach((client) => client.reset()), CLOSE_TIMEOUT_MS);
    return this.#run((done) => {
      this.#leaving = leaving;
      for (const client of leaving) client.close();
      if (leaving.size === 0) done();
    }).finally(() => {
      clearTimeout(late);
      this.#leaving = undefined;
    });
  }

  /** Cuts all connections. Nothing can be done with the swarm after this. */
  reset(): void {
    for (const client of this.clients) client.reset();
  }

  opened(client: LoadClient): void {
    this.clients.push(client);
    this.#connecting -= 1;
    this.#connectNext();
    if (this.#connecting === 0) this.#job?.resolve();
  }

  closed(client: LoadClient, reason: string): void {
    if (this.#leaving?.delete(client) !== true) {
      this.#failure ??= new Error(`a client was lost: ${reason}`);
      this.#job?.reject(this.#failure);
    } else if (this.#leaving.size === 0) this.#job?.resolve();
  }

  received(client: LoadClient, bytes: Buffer, start: number, end: number): void {
    // Pings are not answered.
    if (isPing(start, end)) return;
    if (this.#onRecord !== undefined) return this.#onRecord(client, bytes, start, end);
    this.#unasked += 1;
    this.#arrivals?.push(preciseNow());
  }

  async #run(begin: Begin): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#job !== undefined) throw new Error('the load generator is busy');
    try {
      await new Promise<void>((resolve, reject) => {
        this.#job = { resolve, reject };
        begin(resolve, reject);
      });
    } finally {
      this.#job = undefined;
    }
  }

  #connectNext(): void {
    const token = this.#tokens.pop();
    if (token === undefined) return;
    const number = this.#started++;
    this.#connecting += 1;
    const options = { host: this.#host, port: this.#port, token, number };
    // The client tells its owner when it is ready and when it ends: nothing else to keep here.
    void new LoadClient(options, this);
  }
}
