import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { InvocationMessage } from '@microsoft/signalr';
import { MessageType, NullLogger } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';

const PACKED = new MessagePackHubProtocol();

/** What it does with the calls that clients make. */
export type Mood = 'well' | 'slow' | 'failing' | 'lost' | 'garbage' | 'cut' | 'gone';

/** An event as the upstream hears it. */
export interface Heard {
  readonly event: string;
  readonly connectionId: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** Of a call. */
  readonly args: readonly unknown[];
}

/** A web app that is told of serverless clients: calls answer with their first argument, or `upstream`. */
export class Upstream implements AsyncDisposable {
  readonly heard: Heard[] = [];
  mood: Mood = 'well';
  readonly #server = createServer((request, response) => this.#take(request, response));
  #port = 0;

  static async start(): Promise<Upstream> {
    const upstream = new Upstream();
    await upstream.listen();
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Ends as a process does that is killed: nobody listens any more. */
  async die(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The events that it has heard of a connection, in their order. */
  eventsOf(connectionId: string): string[] {
    return this.heard.filter((one) => one.connectionId === connectionId).map(({ event }) => event);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.die();
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => this.#answer(request, response, Buffer.concat(chunks)));
  }

  #answer({ headers, socket }: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const event = String(headers['x-asrs-event']);
    const connectionId = String(headers['x-asrs-connection-id']);
    const binary = headers['content-type'] === 'application/x-msgpack';
    const isCall = headers['x-asrs-category'] === 'messages';
    const call = isCall ? readCall(body, binary) : { args: [] };
    this.heard.push({ event, connectionId, headers, body, args: call.args });
    if (!isCall) return void response.end();
    switch (this.mood) {
      case 'well':
        if (call.id === undefined) return void response.writeHead(204).end();
        return void response.end(completion(call.id, call.args[0] ?? 'upstream', binary));
      case 'slow':
        return undefined;
      case 'failing':
        return void response.writeHead(500).end('it broke');
      case 'lost':
        return void response.writeHead(404).end();
      case 'garbage':
        return void response.end('<html>200, and no hub message');
      case 'cut':
        response.writeHead(200, { 'content-length': '1000' });
        return void response.write('{"type":3,', () => socket.destroy());
      case 'gone':
        return void socket.destroy();
    }
  }
}

function readCall(body: Buffer, binary: boolean): { id?: string; args: unknown[] } {
  if (binary) {
    // Its length stands before it on a client's connection; calls of these tests are short.
    const framed = Uint8Array.of(body.length, ...body);
    const [message] = PACKED.parseMessages(framed.buffer, NullLogger.instance);
    return callOf(message as InvocationMessage);
  }
  return callOf(JSON.parse(body.toString()) as InvocationMessage);
}

function callOf({ invocationId: id, arguments: args }: InvocationMessage): {
  id?: string;
  args: unknown[];
} {
  return typeof id === 'string' ? { id, args } : { args };
}

function completion(id: string, result: unknown, binary: boolean): Uint8Array | string {
  if (!binary) return `${JSON.stringify({ type: 3, invocationId: id, result })}\x1e`;
  const message = { type: MessageType.Completion, invocationId: id, result } as const;
  return new Uint8Array(PACKED.writeMessage({ ...message, headers: {} }));
}
