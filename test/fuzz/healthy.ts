import { setTimeout as pass } from 'node:timers/promises';

import {
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  LogLevel,
} from '@microsoft/signalr';

import { userToken } from '../edge/support/tokens.ts';

const HUB = 'healthy';
const PAUSE_MS = 50;
const STALL_MS = 50;
/** A call without an answer is a finding, not a stall. */
const LOST_MS = 20_000;

const TRANSPORTS = [
  HttpTransportType.WebSockets,
  HttpTransportType.ServerSentEvents,
  HttpTransportType.LongPolling,
];

/**
 * Clients of a hub that nobody attacks, one of each transport. Each calls at the same time as a twin
 * on an edge that nobody attacks, so that what the machine does is known.
 */
export class Healthy implements AsyncDisposable {
  static readonly hub = HUB;
  calls = 0;
  /** Calls that took over 50 ms longer than the twin's. */
  stalls = 0;
  /** The longest of them, in milliseconds over the twin's. */
  worstMs = 0;
  readonly #report: (finding: string) => void;
  readonly #connections: HubConnection[] = [];
  readonly #work: Promise<void>[] = [];
  #over = false;

  /** `report` is told what none of these clients is to see. */
  static async connect(
    edgeUrl: string,
    twinUrl: string,
    report: (finding: string) => void,
  ): Promise<Healthy> {
    const healthy = new Healthy(report);
    for (const transport of TRANSPORTS) {
      const client = await healthy.#join(edgeUrl, transport);
      const twin = await healthy.#join(twinUrl, transport);
      healthy.#work.push(healthy.#talk(client, twin, HttpTransportType[transport]));
    }
    return healthy;
  }

  private constructor(report: (finding: string) => void) {
    this.#report = report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await Promise.all(this.#work);
    await Promise.all(this.#connections.map((connection) => connection.stop()));
  }

  async #join(edgeUrl: string, transport: HttpTransportType): Promise<HubConnection> {
    const connection = new HubConnectionBuilder()
      .withUrl(`${edgeUrl}/client/?hub=${HUB}`, {
        transport,
        accessTokenFactory: () => userToken(HUB, 'healthy'),
      })
      .configureLogging(LogLevel.None)
      .build();
    connection.onclose((error) => {
      if (this.#over) return;
      const why = error?.message ?? 'no reason';
      this.#report(`a healthy client (${HttpTransportType[transport]}) was closed: ${why}`);
    });
    await connection.start();
    this.#connections.push(connection);
    return connection;
  }

  async #talk(client: HubConnection, twin: HubConnection, name: string): Promise<void> {
    for (let n = 0; !this.#over; n++) {
      try {
        const [mine, other] = await Promise.all([took(client, n), took(twin, n)]);
        this.calls++;
        const stall = mine - other;
        if (stall > STALL_MS) this.stalls++;
        this.worstMs = Math.max(this.worstMs, stall);
      } catch (error) {
        this.#report(`a call of a healthy client (${name}) failed: ${(error as Error).message}`);
        return;
      }
      await pass(PAUSE_MS);
    }
  }
}

/** Milliseconds that a call takes. */
async function took(connection: HubConnection, n: number): Promise<number> {
  const startedAt = performance.now();
  const late = new AbortController();
  const answer = await Promise.race([
    connection.invoke<number>('echo', n),
    pass(LOST_MS, undefined, { signal: late.signal, ref: false }),
  ]);
  late.abort();
  if (answer === undefined) throw new Error(`no answer within ${LOST_MS} ms`);
  if (answer !== n) throw new Error(`${n} was answered with ${answer}`);
  return performance.now() - startedAt;
}
