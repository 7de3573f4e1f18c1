import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { Gates } from '@trunkline/testing';

/** Keeps what app servers of one world share, as a database would; see contract.ts. */
export class NotesKeeper implements AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
  readonly #server: Server;
  readonly #journals = new Map<string, string[]>();
  readonly #gates = new Gates();

  /** Listens on a free port of 127.0.0.1. */
  static async start(): Promise<NotesKeeper> {
    // Connections are kept: one that an app server goes on using must not end then.
    const server = createServer({ keepAliveTimeout: 0 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new NotesKeeper(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => {
      const { pathname, searchParams } = new URL(request.url!, this.url);
      const name = searchParams.get('name') ?? '';
      this.#answer(`${request.method} ${pathname}`, name, request).then(
        (answer) => response.end(answer),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  }

  async #answer(what: string, name: string, request: IncomingMessage): Promise<string> {
    switch (what) {
      case 'POST /journal':
        this.#journal(name).push(await text(request));
        return '';
      case 'GET /journal':
        return JSON.stringify(this.#journal(name));
      case 'POST /gate':
        this.#gates.open(name);
        return '';
      case 'GET /gate':
        await this.#gates.pass(name);
        return '';
      default:
        throw new Error(`nobody knows how to ${what}`);
    }
  }

  #journal(tag: string): string[] {
    const known = this.#journals.get(tag) ?? [];
    this.#journals.set(tag, known);
    return known;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    // Somebody may still wait at a gate.
    this.#server.closeAllConnections();
  }
}
