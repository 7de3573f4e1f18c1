import {
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  HubConnectionState,
  LogLevel,
} from '@microsoft/signalr';
import { DEVELOPMENT_ACCESS_KEY, mintClientToken } from '@trunkline/tokens';

import { GROUPS, HUB, type Notice, type TransportName } from './contract.ts';

/** Between an answer and the next call, give or take half. */
const CALL_EVERY_MS = 6_000;
/** A client tries to come back within this time of a loss, at random, and again each time it fails. */
const RECONNECT_MS = 1_000;
const UNANSWERED_MS = 60_000;

/** A client that calls now and then, listens to what the app servers say, and comes back when it is cut off. */
export class OrdealClient {
  readonly #connection: HubConnection;
  readonly #notice: Notice;
  readonly #heard = new Map<string, number>();
  #roll = -1;
  #rolls = 0;
  #lostAt = 0;
  #callingSince = 0;
  #over = false;

  /** `notice` is shared with other clients. */
  constructor(url: string, number: number, transport: TransportName, notice: Notice) {
    this.#notice = notice;
    const token = (): string =>
      mintClientToken({
        key: DEVELOPMENT_ACCESS_KEY,
        audienceBase: 'http://edge/',
        hub: HUB,
        userId: `user ${transport} ${number}`,
      });
    this.#connection = new HubConnectionBuilder()
      .withUrl(`${url}/client/?hub=${HUB}&group=${number % GROUPS}`, {
        transport: HttpTransportType[transport],
        accessTokenFactory: token,
      })
      .withAutomaticReconnect({ nextRetryDelayInMilliseconds: () => Math.random() * RECONNECT_MS })
      .configureLogging(LogLevel.None)
      .build();
    this.#listen();
  }

  get isConnected(): boolean {
    return this.#connection.state === HubConnectionState.Connected;
  }

  /** Has a call that nobody answers. */
  get isStuck(): boolean {
    return this.#callingSince > 0 && performance.now() - this.#callingSince > UNANSWERED_MS;
  }

  /** Whether it has heard this roll, once. */
  hasHeard(roll: number): boolean {
    return this.#roll === roll && this.#rolls === 1;
  }

  async start(): Promise<void> {
    await this.#connection.start();
    void this.#call();
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#connection.stop();
  }

  #listen(): void {
    const notice = this.#notice;
    const connection = this.#connection;
    connection.on('said', (speaker: string, number: number) => {
      const last = this.#heard.get(speaker);
      this.#heard.set(speaker, number);
      if (last === undefined) return;
      if (number <= last) notice.disorder++;
      else notice.missed += number - last - 1;
    });
    connection.on('roll', (number: number) => {
      this.#rolls = this.#roll === number ? this.#rolls + 1 : 1;
      this.#roll = number;
    });
    connection.onreconnecting(() => {
      notice.lost++;
      this.#lostAt = performance.now();
      // What is said meanwhile is not for this connection.
      this.#heard.clear();
    });
    connection.onreconnected(() => notice.waits.push(performance.now() - this.#lostAt));
    connection.onclose(() => {
      if (!this.#over) notice.lost++;
    });
  }

  async #call(): Promise<void> {
    const notice = this.#notice;
    for (let n = 0; !this.#over; n++) {
      await new Promise((resolve) => setTimeout(resolve, CALL_EVERY_MS * (0.5 + Math.random())));
      if (!this.isConnected) continue;
      this.#callingSince = performance.now();
      try {
        if ((await this.#connection.invoke('echo', n)) !== n) notice.disorder++;
        notice.calls++;
        const took = performance.now() - this.#callingSince;
        notice.longestCall = Math.max(notice.longestCall, took);
      } catch {
        notice.failed++;
      }
      this.#callingSince = 0;
    }
  }
}
