import { once } from 'node:events';

import { Mailbox, type SocketClose } from '@trunkline/testing';
import { WebSocket } from 'ws';

import { userToken } from './tokens.ts';

export interface HubMessage {
  readonly type: number;
  readonly target?: string;
  readonly arguments?: readonly unknown[];
  readonly invocationId?: string;
  readonly result?: unknown;
  readonly error?: string;
  readonly allowReconnect?: boolean;
}

export interface HubClientOptions {
  /** `chat` when not given. */
  hub?: string;
  userId?: string;
  /** Made for the hub and the user when not given. */
  token?: string;
}

/** `{"protocol":"json","version":1}` and its record separator. */
export const JSON_HANDSHAKE = `{"protocol":"json","version":1}\x1e`;

/** A client of the JSON hub protocol that shows everything it hears, and in which order. */
export class HubClient implements AsyncDisposable {
  readonly connectionId: string;
  /** Every hub message after the handshake response. */
  readonly received = new Mailbox<HubMessage>();
  /** Resolves when the WebSocket has ended, whoever ended it. */
  readonly closed: Promise<SocketClose>;
  readonly #socket: WebSocket;
  readonly #handshake = new Mailbox<{ error?: string }>();
  #calls = 0;

  /** Negotiates, opens a WebSocket and shakes hands. Rejects with what the edge or the hub says. */
  static async connect(edgeUrl: string, options: HubClientOptions = {}): Promise<HubClient> {
    const client = await HubClient.open(edgeUrl, options);
    client.write(JSON_HANDSHAKE);
    const { error } = await client.handshake();
    if (error !== undefined) throw new Error(error);
    return client;
  }

  /** Negotiates and opens a WebSocket, and says nothing. */
  static async open(edgeUrl: string, options: HubClientOptions = {}): Promise<HubClient> {
    const { hub = 'chat', userId, token = userToken(hub, userId) } = options;
    const headers = { authorization: `Bearer ${token}` };
    const negotiate = `${edgeUrl}/client/negotiate?hub=${hub}&negotiateVersion=1`;
    const response = await fetch(negotiate, { method: 'POST', headers });
    if (!response.ok) throw new Error(`negotiate was answered with ${response.status}`);
    const answer = (await response.json()) as { connectionId: string; connectionToken: string };
    const url = `${edgeUrl.replace(/^http/, 'ws')}/client/?hub=${hub}&id=${answer.connectionToken}`;
    const socket = new WebSocket(url, { headers, perMessageDeflate: false });
    const client = new HubClient(socket, answer.connectionId);
    await once(socket, 'open');
    return client;
  }

  private constructor(socket: WebSocket, connectionId: string) {
    this.#socket = socket;
    this.connectionId = connectionId;
    socket.on('message', (data: Buffer, binary: boolean) => this.#take(data, binary));
    socket.on('error', (error) => this.received.end(error.message));
    this.closed = new Promise((resolve) => {
      socket.once('close', (code: number, reason: Buffer) => {
        const why = `the client connection was closed with ${code} ${reason.toString()}`;
        this.#handshake.end(why);
        this.received.end(why);
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  /** The hub's answer to the handshake request. */
  handshake(): Promise<{ error?: string }> {
    return this.#handshake.first(() => true, 'the handshake response');
  }

  write(text: string | Uint8Array): void {
    this.#socket.send(text);
  }

  send(target: string, ...values: unknown[]): void {
    this.write(`${JSON.stringify({ type: 1, target, arguments: values })}\x1e`);
  }

  /** Calls a method and gives its result. */
  async call(target: string, ...values: unknown[]): Promise<unknown> {
    const invocationId = `${this.#calls++}`;
    this.write(`${JSON.stringify({ type: 1, target, arguments: values, invocationId })}\x1e`);
    const completion = await this.received.first(
      (message) => message.type === 3 && message.invocationId === invocationId,
      `the completion of ${target}`,
    );
    if (completion.error !== undefined) throw new Error(completion.error);
    return completion.result;
  }

  /** The hub's invocation of `target`, come or to come. */
  invocation(target: string): Promise<HubMessage> {
    return this.received.first(
      (message) => message.target === target,
      `an invocation of ${target}`,
    );
  }

  async close(): Promise<void> {
    this.#socket.close(1000);
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A message holds whole records, one or more, in a text frame. */
  #take(data: Buffer, binary: boolean): void {
    if (binary) throw new Error('a binary message to a JSON client');
    const records = data.toString().split('\x1e');
    if (records.pop() !== '') throw new Error('a message that ends inside a record');
    for (const record of records) {
      if (this.#handshake.all.length > 0) this.received.add(JSON.parse(record) as HubMessage);
      else this.#handshake.add(JSON.parse(record) as { error?: string });
    }
  }
}
