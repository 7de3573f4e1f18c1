import { negotiate, type Negotiated, type NegotiateOptions } from './negotiate.ts';

export interface RequestOptions {
  body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  headers?: Readonly<Record<string, string>>;
  /** Instead of the connection's own; `undefined` leaves it away. */
  id?: string | undefined;
  token?: string | undefined;
  hub?: string;
  signal?: AbortSignal;
}

const EVENT_STREAM = { accept: 'text/event-stream' } as const;

/** The requests of one client connection, one by one, as a client's library would make them. */
export class HttpConnection {
  readonly #edgeUrl: string;
  readonly negotiated: Negotiated;

  static async negotiate(edgeUrl: string, options?: NegotiateOptions): Promise<HttpConnection> {
    return new HttpConnection(edgeUrl, await negotiate(edgeUrl, options));
  }

  constructor(edgeUrl: string, negotiated: Negotiated) {
    this.#edgeUrl = edgeUrl;
    this.negotiated = negotiated;
  }

  /** The path of its requests, with their query. */
  get path(): string {
    const { hub, connectionToken } = this.negotiated;
    return `/client/?hub=${hub}&id=${connectionToken}`;
  }

  /** `GET`: a poll, the first of which makes the connection. */
  poll(options?: RequestOptions): Promise<Response> {
    return this.request('GET', options);
  }

  /** `GET` that accepts an event stream. */
  stream({ headers, ...options }: RequestOptions = {}): Promise<Response> {
    return this.request('GET', { ...options, headers: { ...EVENT_STREAM, ...headers } });
  }

  post(body: RequestOptions['body'], options?: RequestOptions): Promise<Response> {
    return this.request('POST', { ...options, body: body! });
  }

  leave(options?: RequestOptions): Promise<Response> {
    return this.request('DELETE', options);
  }

  /** The first poll, the handshake request, and the poll that its response comes with. */
  async openPolling(handshake: string): Promise<void> {
    for (const step of [() => this.poll(), () => this.post(handshake), () => this.poll()]) {
      const response = await step();
      const text = await response.text();
      if (response.status !== 200) throw new Error(`answered with ${response.status} ${text}`);
    }
  }

  request(method: string, options: RequestOptions = {}): Promise<Response> {
    const { hub, connectionToken, accessToken } = this.negotiated;
    const { headers, body, signal } = options;
    const id = 'id' in options ? options.id : connectionToken;
    const token = 'token' in options ? options.token : accessToken;
    const query = id === undefined ? '' : `&id=${encodeURIComponent(id)}`;
    return fetch(`${this.#edgeUrl}/client/?hub=${options.hub ?? hub}${query}`, {
      method,
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
      ...(body !== undefined && { body, duplex: 'half' }),
      ...(signal !== undefined && { signal }),
    });
  }
}
