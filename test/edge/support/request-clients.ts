import { EventReader } from './event-reader.ts';
import { HttpConnection } from './http-connection.ts';
import { HubClient } from './hub-client.ts';
import { JsonClient } from './json-client.ts';
import type { NegotiateOptions } from './negotiate.ts';

/** What clients have in common whose messages go by posts, one post at a time. */
abstract class RequestClient extends JsonClient implements AsyncDisposable {
  readonly connection: HttpConnection;
  /** Resolves, with the status of the last answer, when nothing more will come. */
  readonly closed: Promise<number>;
  #over: (status: number) => void = () => {};
  #posted: Promise<unknown> = Promise.resolve();

  constructor(connection: HttpConnection) {
    super();
    this.connection = connection;
    this.closed = new Promise((resolve) => {
      this.#over = resolve;
    });
  }

  get connectionId(): string {
    return this.connection.negotiated.connectionId;
  }

  write(text: string | Uint8Array): void {
    const body = typeof text === 'string' ? text : Uint8Array.from(text);
    this.#posted = this.#posted.then(async () => {
      const response = await this.connection.post(body);
      await response.text();
      if (response.status !== 200) this.end(`a post was answered with ${response.status}`);
    });
    this.#posted.catch((error: Error) => this.end(error.message));
  }

  abstract [Symbol.asyncDispose](): Promise<void>;

  protected over(status: number): void {
    this.end(`the client connection was closed with ${status}`);
    this.#over(status);
  }
}

/** A client of the JSON hub protocol on server-sent events. */
export class StreamClient extends RequestClient {
  readonly #away = new AbortController();

  static async connect(edgeUrl: string, options?: NegotiateOptions): Promise<StreamClient> {
    const client = new StreamClient(await HttpConnection.negotiate(edgeUrl, options));
    const response = await client.connection.stream({ signal: client.#away.signal });
    if (response.status !== 200) throw new Error(`the stream was answered ${response.status}`);
    const events = new EventReader(response, (data) => client.take(data));
    void events.ended.then(() => client.over(response.status));
    await client.shakeHands();
    return client;
  }

  async close(): Promise<void> {
    this.#away.abort();
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A client of the JSON hub protocol that polls. */
export class PollClient extends RequestClient {
  static async connect(edgeUrl: string, options?: NegotiateOptions): Promise<PollClient> {
    const client = new PollClient(await HttpConnection.negotiate(edgeUrl, options));
    const response = await client.connection.poll();
    if (response.status !== 200) throw new Error(`the poll was answered with ${response.status}`);
    void client.#poll();
    await client.shakeHands();
    return client;
  }

  async close(): Promise<void> {
    await (await this.connection.leave()).text();
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #poll(): Promise<void> {
    try {
      for (;;) {
        const response = await this.connection.poll();
        const text = await response.text();
        if (response.status !== 200) return this.over(response.status);
        if (text !== '') this.take(text);
      }
    } catch {
      this.over(0);
    }
  }
}

/** A client of each transport. */
export const CLIENTS = {
  webSockets: HubClient,
  serverSentEvents: StreamClient,
  longPolling: PollClient,
} as const;

export type TransportLabel = keyof typeof CLIENTS;
export const TRANSPORT_LABELS = Object.keys(CLIENTS) as TransportLabel[];
