import {
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  LogLevel,
} from '@microsoft/signalr';
import { DEVELOPMENT_ACCESS_KEY, mintClientToken } from '@trunkline/tokens';
import { setTimeout as pass } from 'node:timers/promises';

/** What clients did and noticed since the start. */
export interface Tally {
  calls: number;
  /** Of calls and streams those answered with an error, because their server was cut off while it worked. */
  failed: number;
  heard: number;
  disconnects: number;
  /** Answers or broadcasts that came twice, or out of order. */
  disorder: number;
}

const TRANSPORTS = [
  HttpTransportType.WebSockets,
  HttpTransportType.ServerSentEvents,
  HttpTransportType.LongPolling,
];
const PAUSE_MS = 50;
/** Of so many calls one is a stream. */
const STREAM_EVERY = 10;
const ITEMS = 10;
const TEXT = 'x'.repeat(200);

/** Clients that never rest. */
export class Crowd implements AsyncDisposable {
  readonly tally: Tally = { calls: 0, failed: 0, heard: 0, disconnects: 0, disorder: 0 };
  readonly #connections: HubConnection[] = [];
  readonly #work: Promise<void>[] = [];
  readonly #pauseMs: number;
  #over = false;

  private constructor(pauseMs: number) {
    this.#pauseMs = pauseMs;
  }

  /** `pauseMs`: between an answer and the next call. */
  static async connect(
    edgeUrl: string,
    hub: string,
    count: number,
    pauseMs = PAUSE_MS,
  ): Promise<Crowd> {
    const crowd = new Crowd(pauseMs);
    await Promise.all(Array.from({ length: count }, (_, i) => crowd.#join(edgeUrl, hub, i)));
    for (const [i, connection] of crowd.#connections.entries()) {
      crowd.#work.push(crowd.#talk(connection, i === 0));
    }
    return crowd;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await Promise.all(this.#work);
    await Promise.all(this.#connections.map((connection) => connection.stop()));
  }

  async #join(edgeUrl: string, hub: string, index: number): Promise<void> {
    const token = mintClientToken({
      key: DEVELOPMENT_ACCESS_KEY,
      audienceBase: 'http://edge/',
      hub,
      userId: `user ${index}`,
    });
    const connection = new HubConnectionBuilder()
      .withUrl(`${edgeUrl}/client/?hub=${hub}`, {
        transport: TRANSPORTS[index % TRANSPORTS.length]!,
        accessTokenFactory: () => token,
      })
      .configureLogging(LogLevel.None)
      .build();
    let last = -1;
    connection.on('message', (number: number) => {
      this.tally.heard++;
      if (number <= last) this.tally.disorder++;
      last = number;
    });
    connection.onclose(() => {
      if (!this.#over) this.tally.disconnects++;
    });
    await connection.start();
    this.#connections.push(connection);
  }

  /** One of them speaks to all, the others each to the hub. */
  async #talk(connection: HubConnection, speaks: boolean): Promise<void> {
    for (let n = 0; !this.#over; n++) {
      try {
        if (speaks) await connection.invoke('broadcast', n, TEXT);
        else if (n % STREAM_EVERY === 0) await this.#stream(connection);
        else if ((await connection.invoke('echo', n)) !== n) this.tally.disorder++;
        this.tally.calls++;
      } catch {
        this.tally.failed++;
      }
      await pass(this.#pauseMs);
    }
  }

  /** Every item once, in order, up to where it was cut off. */
  #stream(connection: HubConnection): Promise<void> {
    let expected = 0;
    return new Promise((resolve, reject) => {
      connection.stream<number>('count', ITEMS).subscribe({
        next: (item) => {
          if (item !== expected++) this.tally.disorder++;
        },
        error: reject,
        complete: () => {
          if (expected !== ITEMS) this.tally.disorder++;
          resolve();
        },
      });
    });
  }
}
