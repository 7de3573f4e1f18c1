import { setTimeout as pass } from 'node:timers/promises';

import { deadline } from '@trunkline/testing';

import { CLIENTS, TRANSPORT_LABELS } from '../edge/support/request-clients.ts';

/** A call is due so often, of each client, whether the one before has been answered or not. */
const CALL_MS = 200;
const NEWCOMER_MS = 1_000;
const CONNECT_MS = 10_000;
const TEXT = 'thirty-two bytes of chat message';

/** What healthy clients noticed. */
export interface Felt {
  /** Of calls, in milliseconds, from when the call was due. */
  readonly p50: number;
  readonly p99: number;
  readonly calls: number;
  /** Calls without an answer, and newcomers that did not get in. */
  readonly refused: number;
  /** Milliseconds that the slowest newcomer took to negotiate, connect and be answered a call. */
  readonly slowestNewcomer: number;
}

type Client = Awaited<ReturnType<(typeof CLIENTS)[keyof typeof CLIENTS]['connect']>>;

/**
 * Clients of a hub, over every transport, each of which calls five times a second, and one newcomer a
 * second. Calls are due at fixed times: a client that is kept from calling has waited, too.
 */
export class Healthy implements AsyncDisposable {
  readonly #connect: (index: number) => Promise<Client>;
  readonly #clients: readonly Client[];
  readonly #pending = new Set<Promise<void>>();
  readonly #loops: Promise<void>[];
  #over = false;
  #begun = Number.POSITIVE_INFINITY;
  #ended = Number.POSITIVE_INFINITY;
  readonly #latencies: number[] = [];
  #refused = 0;
  #slowestNewcomer = 0;

  static async connect(edgeUrl: string, hub: string, count: number): Promise<Healthy> {
    const connect = (index: number): Promise<Client> => {
      const label = TRANSPORT_LABELS[index % TRANSPORT_LABELS.length]!;
      return CLIENTS[label].connect(edgeUrl, { hub, userId: `user ${index % count}` });
    };
    const clients = await Promise.all(Array.from({ length: count }, (_, index) => connect(index)));
    return new Healthy(clients, connect);
  }

  private constructor(clients: readonly Client[], connect: (index: number) => Promise<Client>) {
    this.#clients = clients;
    this.#connect = connect;
    // They do not all call at the same moment.
    const calling = clients.map((client, index) =>
      this.#every(CALL_MS, (index * CALL_MS) / clients.length, (due) => this.#call(client, due)),
    );
    const arriving = this.#every(NEWCOMER_MS, 0, (_due, index) => this.#arrive(index));
    this.#loops = [...calling, arriving];
  }

  /** Counts from the call on, once. */
  begin(): void {
    this.#begun = performance.now();
  }

  /** What was noticed from `begin` to the call; resolves when what is under way has come to its end. */
  async end(): Promise<Felt> {
    this.#ended = performance.now();
    await Promise.all(this.#pending);
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const quantile = (q: number): number => sorted[Math.ceil(q * sorted.length) - 1] ?? Number.NaN;
    return {
      p50: quantile(0.5),
      p99: quantile(0.99),
      calls: sorted.length,
      refused: this.#refused,
      slowestNewcomer: this.#slowestNewcomer,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await Promise.all(this.#loops);
    await Promise.all(this.#pending);
    await Promise.allSettled(this.#clients.map((client) => client.close()));
  }

  async #every(ms: number, firstMs: number, one: (due: number, index: number) => Promise<void>) {
    const start = performance.now() + firstMs;
    for (let index = 0; !this.#over; index++) {
      const due = start + index * ms;
      await pass(Math.max(0, due - performance.now()));
      const running = one(due, index);
      this.#pending.add(running);
      void running.finally(() => this.#pending.delete(running));
    }
  }

  #counts(due: number): boolean {
    return due >= this.#begun && due < this.#ended;
  }

  async #call(client: Client, due: number): Promise<void> {
    try {
      await client.call('echo', TEXT);
      if (this.#counts(due)) this.#latencies.push(performance.now() - due);
    } catch {
      if (this.#counts(due)) this.#refused++;
    }
  }

  async #arrive(index: number): Promise<void> {
    const start = performance.now();
    try {
      const visit = async (): Promise<void> => {
        const client = await this.#connect(index);
        await client.call('echo', TEXT);
        await client.close();
      };
      await deadline(visit(), CONNECT_MS, 'the newcomer was not served');
      if (!this.#counts(start)) return;
      this.#slowestNewcomer = Math.max(this.#slowestNewcomer, performance.now() - start);
    } catch {
      if (this.#counts(start)) this.#refused++;
    }
  }
}
