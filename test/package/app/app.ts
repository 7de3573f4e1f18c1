/** An app as somebody has it who has installed the package. Compiled or bundled, then run; prints its URL. */
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { createManager, createServer, Hub, type HubMethods } from '@trunkline/sdk';

interface ChatClient {
  message(user: string, text: string): void;
}

const manager = createManager();

class Chat extends Hub<ChatClient> {
  static readonly methods = {
    send: {},
    countdown: {},
    sum: { uploads: 1 },
    healthy: {},
  } as const satisfies HubMethods<Chat>;

  async send(user: string, text: string): Promise<string> {
    await this.clients.all.message(user, text);
    return process.version;
  }

  async *countdown(from: number): AsyncGenerator<number> {
    while (from > 0) yield from--;
  }

  async sum(numbers: AsyncIterable<number>): Promise<number> {
    let sum = 0;
    for await (const number of numbers) sum += number;
    return sum;
  }

  healthy(): Promise<boolean> {
    return manager.isHealthy();
  }
}

const server = createServer();
server.hub('/chat', Chat);
// Without top-level await, which bundles of CommonJS do not have.
void server.start().then(() => {
  const negotiate = server.node();
  const http = createHttpServer((request, response) => void negotiate(request, response));
  http.listen(0, '127.0.0.1', () => {
    console.log(`http://127.0.0.1:${(http.address() as AddressInfo).port}`);
  });
  process.once('SIGTERM', () => {
    http.close();
    void server.stop({ timeout: 0 });
  });
});
