import { once } from 'node:events';

import type { SocketClose } from '@trunkline/testing';
import { WebSocket } from 'ws';

import { JsonClient } from './json-client.ts';
import { negotiate, type NegotiateOptions } from './negotiate.ts';

export type { HubMessage } from './json-client.ts';
export { JSON_HANDSHAKE } from './json-client.ts';

/** A client of the JSON hub protocol on a WebSocket. */
export class HubClient extends JsonClient implements AsyncDisposable {
  /** As negotiate has told it; empty without. */
  readonly connectionId: string;
  /** Resolves when the WebSocket has ended, whoever ended it. */
  readonly closed: Promise<SocketClose>;
  readonly #socket: WebSocket;

  /** Negotiates, opens a WebSocket and shakes hands. Rejects with what the edge or the hub says. */
  static async connect(edgeUrl: string, options: NegotiateOptions = {}): Promise<HubClient> {
    const client = await HubClient.open(edgeUrl, options);
    await client.shakeHands();
    return client;
  }

  /** Negotiates and opens a WebSocket, and says nothing. */
  static async open(edgeUrl: string, options: NegotiateOptions = {}): Promise<HubClient> {
    const { hub, accessToken, connectionId, connectionToken } = await negotiate(edgeUrl, options);
    const url = `${edgeUrl}/client/?hub=${hub}&id=${connectionToken}`;
    return HubClient.#openAt(url, accessToken, connectionId);
  }

  /** Opens a WebSocket at the URL of a hub, without negotiate, and shakes hands. */
  static async connectAt(url: string, accessToken: string): Promise<HubClient> {
    const client = await HubClient.#openAt(url, accessToken, '');
    await client.shakeHands();
    return client;
  }

  static async #openAt(url: string, accessToken: string, connectionId: string): Promise<HubClient> {
    const headers = { authorization: `Bearer ${accessToken}` };
    const options = { headers, perMessageDeflate: false };
    const socket = new WebSocket(url.replace(/^http/, 'ws'), options);
    const client = new HubClient(socket, connectionId);
    await once(socket, 'open');
    return client;
  }

  private constructor(socket: WebSocket, connectionId: string) {
    super();
    this.#socket = socket;
    this.connectionId = connectionId;
    socket.on('message', (data: Buffer, binary: boolean) => {
      if (binary) throw new Error('a binary message to a JSON client');
      this.take(data.toString());
    });
    socket.on('error', (error) => this.received.end(error.message));
    this.closed = new Promise((resolve) => {
      socket.once('close', (code: number, reason: Buffer) => {
        this.end(`the client connection was closed with ${code} ${reason.toString()}`);
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  write(text: string | Uint8Array): void {
    this.#socket.send(text);
  }

  async close(): Promise<void> {
    this.#socket.close(1000);
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
