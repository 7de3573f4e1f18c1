import {
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  HubConnectionState,
  LogLevel,
} from '@microsoft/signalr';
import { DEVELOPMENT_ACCESS_KEY, mintClientToken } from '@trunkline/tokens';

import { GROUPS, type Habits, HUB, type Notice, type TransportName } from './contract.ts';

const UNANSWERED_MS = 60_000;

/** Of one speaker, on one connection. */
interface Heard {
  readonly first: number;
  last: number;
  /** Numbers between which have not been heard. */
  readonly missing: Set<number>;
}

/** A client that calls now and then, listens to what the app servers say, and comes back when it is cut off. */
export class OrdealClient {
  readonly #connection: HubConnection;
  readonly #notice: Notice;
  readonly #callEvery: number;
  readonly #reconnect: number;
  readonly #heard = new Map<string, Heard>();
  #roll = -1;
  #rolls = 0;
  #lostAt = 0;
  /** How long it has chosen to wait since, before it tried. */
  #chosen = 0;
  #callingSince = 0;
  #over = false;

  /** `notice` is shared with other clients. */
  constructor(
    url: string,
    number: number,
    transport: TransportName,
    { callEvery, reconnect }: Habits,
    notice: Notice,
  ) {
    this.#notice = notice;
    this.#callEvery = callEvery;
    this.#reconnect = reconnect;
    const chooseWait = (): number => {
      const wait = Math.random() * reconnect;
      this.#chosen += wait;
      return wait;
    };
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
      .withAutomaticReconnect({ nextRetryDelayInMilliseconds: chooseWait })
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

  /** As apps do, it tries again where that fails: clients come back by themselves only once they were there. */
  async start(): Promise<void> {
    while (!this.#over) {
      const error = await this.#connection.start().catch((reason: Error) => reason);
      if (error === undefined) break;
      await new Promise((resolve) => setTimeout(resolve, this.#reconnect * Math.random()));
    }
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
      this.#said(speaker, number);
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
    connection.onreconnected(() => {
      notice.waits.push(performance.now() - this.#lostAt - this.#chosen);
      this.#chosen = 0;
    });
    connection.onclose(() => {
      if (!this.#over) notice.lost++;
    });
  }

  #said(speaker: string, number: number): void {
    const notice = this.#notice;
    const heard = this.#heard.get(speaker) ?? {
      first: number,
      last: number - 1,
      missing: new Set(),
    };
    this.#heard.set(speaker, heard);
    for (let missing = heard.last + 1; missing < number; missing++) {
      heard.missing.add(missing);
      notice.missed++;
    }
    if (number > heard.last) heard.last = number;
    // It was on its way before this connection was there, which has not missed it.
    else if (number < heard.first) notice.late++;
    else if (heard.missing.delete(number)) {
      notice.missed--;
      notice.late++;
    } else notice.twice++;
  }

  async #call(): Promise<void> {
    const notice = this.#notice;
    for (let n = 0; !this.#over; n++) {
      await new Promise((resolve) => setTimeout(resolve, this.#callEvery * (0.5 + Math.random())));
      if (!this.isConnected) continue;
      this.#callingSince = performance.now();
      try {
        if ((await this.#connection.invoke('echo', n)) !== n) notice.twice++;
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
