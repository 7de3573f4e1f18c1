import { setTimeout as pause } from 'node:timers/promises';

import { type HubConnection, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';

import { userToken } from '../../edge/support/tokens.ts';

/** Between an answer and the next call. */
const PACE_MS = 150;

/** What a client has heard of one stream, and when, in the order in which it came. */
export interface Heard {
  readonly numbers: number[];
  readonly at: number[];
}

/** An official client that keeps what it hears, and calls its hub all the time. */
export class Listener {
  readonly connection: HubConnection;
  /** Of the connection, also when that is over. */
  readonly id: string;
  readonly userId: string;
  /** By the name of the stream. */
  readonly heard = new Map<string, Heard>();
  /** Calls that were answered, and what became of those that were not answered with their number. */
  answers = 0;
  readonly failures: string[] = [];
  /** Why its connection has ended, if it was not ended here. */
  ended: string | undefined;
  #isStopping = false;
  #isCalling = true;
  #calls = Promise.resolve();

  /** Connects to the edge itself, whose own negotiate answers it. */
  static async connect(edgeUrl: string, hub: string, userId: string): Promise<Listener> {
    const connection = new HubConnectionBuilder()
      .withUrl(`${edgeUrl}/client/?hub=${hub}`, {
        accessTokenFactory: () => userToken(hub, userId),
      })
      .configureLogging(LogLevel.None)
      .build();
    await connection.start();
    return new Listener(connection, userId);
  }

  private constructor(connection: HubConnection, userId: string) {
    this.connection = connection;
    this.id = connection.connectionId!;
    this.userId = userId;
    connection.on('heard', (stream: string, number: number) => {
      const { numbers, at } = this.of(stream);
      numbers.push(number);
      at.push(performance.now());
    });
    connection.onclose((error) => {
      if (!this.#isStopping) this.ended = error?.message ?? 'without an error';
    });
  }

  of(stream: string): Heard {
    const heard = this.heard.get(stream) ?? { numbers: [], at: [] };
    this.heard.set(stream, heard);
    return heard;
  }

  /** Calls from now on, each when the one before is answered. */
  startCalling(): void {
    this.#calls = this.#call();
  }

  /** Ends the calls; resolves when the last is answered. */
  async stopCalling(): Promise<void> {
    this.#isCalling = false;
    await this.#calls;
  }

  stop(): Promise<void> {
    this.#isStopping = true;
    return this.connection.stop();
  }

  async #call(): Promise<void> {
    for (let number = 0; this.#isCalling && this.ended === undefined; number++) {
      try {
        const answer = await this.connection.invoke<number>('echo', number);
        if (answer === number) this.answers++;
        else this.failures.push(`call ${number} was answered with ${answer}`);
      } catch (error) {
        this.failures.push(`call ${number}: ${(error as Error).message}`);
      }
      await pause(PACE_MS);
    }
  }
}
