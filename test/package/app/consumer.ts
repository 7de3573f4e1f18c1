/** Uses the package's types as an app and its front end do; compiled, not run. */
import { createServer } from 'node:http';

import * as trunkline from '@trunkline/sdk';
import type { HubMethods, TypedConnection } from '@trunkline/sdk';
import { testHub } from '@trunkline/sdk/testing';

interface ChatClient {
  message(user: string, text: string): void;
  confirm(question: string): boolean;
}

class Chat extends trunkline.Hub<ChatClient> {
  static readonly methods = {
    send: { name: 'Say' },
    count: {},
  } as const satisfies HubMethods<Chat>;

  async send(text: string): Promise<boolean> {
    await this.clients.all.message(this.context.userIdentifier ?? '', text);
    return this.clients.caller.invoke({ timeout: 1000 }).confirm('Sure?');
  }

  async *count(from: number): AsyncGenerator<number> {
    while (from > 0) yield from--;
  }
}

export async function hubTest(): Promise<boolean> {
  const hub = await testHub(Chat);
  const client = await hub.connect({ userId: 'ada' });
  // @ts-expect-error a stream is not invoked
  void client.invoke('count', 3);
  return hub.sent.some(({ kind }) => kind === 'all');
}

const server = trunkline.createServer({ connectionString: '' });
const chat: trunkline.HubHandle<ChatClient> = server.hub('/chat', Chat);
const negotiate = server.node({ userId: ({ headers }) => headers['x-user']?.toString() });
createServer((request, response) => void negotiate(request, response));
void chat.clients.group('lobby').message('system', 'hello');
// @ts-expect-error a text is asked for
void chat.clients.all.message('system', 1);

export async function frontEnd(connection: TypedConnection<typeof Chat>): Promise<boolean> {
  connection.stream('count', 3).subscribe({ next() {}, error() {}, complete() {} });
  // @ts-expect-error clients know it by another name
  void connection.invoke('send', 'hello');
  return connection.invoke('Say', 'hello');
}
