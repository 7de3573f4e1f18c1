import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { createServer, Hub, type HubHandle } from '@trunkline/sdk';
import { type EdgeOptions, Mailbox, startEdge, type StartedEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { afterAll } from 'vitest';

/** What happened in the hub, in order. */
export interface Entry {
  readonly what: 'connected' | 'disconnected' | 'noted';
  readonly connectionId: string;
  readonly value?: unknown;
}

export const journal = new Mailbox<Entry>();

/** Lets a call of `hold` go on. */
export let release: () => void = () => {};

interface Client {
  message(...values: unknown[]): void;
  confirm(question: string): unknown;
}

class Traps extends Hub<Client> {
  override onConnected(): void {
    if (this.context.query.has('refuse')) throw new Error('refused');
    this.#enter('connected');
  }

  override onDisconnected(error?: Error): void {
    this.#enter('disconnected', error?.message);
  }

  echo(value: unknown): unknown {
    return value;
  }

  nothing(): void {}

  note(value: unknown): void {
    this.#enter('noted', value);
  }

  about(): unknown {
    const { headers, query } = this.context;
    return { cookie: headers['cookie'], query: Object.fromEntries(query) };
  }

  hold(): Promise<void> {
    return new Promise((resolve) => {
      release = resolve;
    });
  }

  ask(question: string, timeout: number): Promise<unknown> {
    return this.clients.caller.invoke({ timeout }).confirm(question);
  }

  async *countdown(from: number): AsyncGenerator<number> {
    for (let n = from; n > 0; n--) yield n;
  }

  async join(group: string): Promise<void> {
    await this.groups.add(this.context.connectionId, group);
  }

  async tell(kind: 'group' | 'user', name: string, text: string): Promise<void> {
    await this.clients[kind](name).message(text);
  }

  #enter(what: Entry['what'], value?: unknown): void {
    journal.add({ what, connectionId: this.context.connectionId, value });
  }
}

/** An app server in this process: the hub at `/chat`, and at `/brief` one with short times. */
export interface App extends AsyncDisposable {
  /** Of negotiate, without a slash at its end. */
  readonly url: string;
  readonly hub: HubHandle<Client>;
}

/** An edge and the app for all tests of a file, after the last of which both end. */
export async function sharedApp({
  cookie = 'session=1; Path=/',
  ...edgeOptions
}: EdgeOptions & {
  /** What the app's negotiate sets. */
  cookie?: string;
} = {}): Promise<{ readonly edge: StartedEdge; readonly app: App }> {
  const edge = await startEdge(edgeOptions);
  afterAll(() => edge.stop());
  const app = await startApp(edge, cookie);
  afterAll(() => app[Symbol.asyncDispose]());
  return { edge, app };
}

async function startApp(edge: StartedEdge, cookie: string): Promise<App> {
  const connectionString = formatConnectionString(edge.url, DEVELOPMENT_ACCESS_KEY);
  const logger = { info() {}, warn() {}, error() {} };
  const server = createServer({ connectionString, connectionCount: 2, logger });
  const hub = server.hub('/chat', Traps, { hub: 'chat' });
  const times = { keepAliveInterval: 1000, clientTimeoutInterval: 1000 };
  server.hub('/brief', Traps, { hub: 'brief', ...times });
  const negotiate = server.node();
  const http = createHttpServer((request, response) => {
    response.setHeader('set-cookie', cookie);
    void negotiate(request, response);
  });
  http.listen(0, '127.0.0.1');
  await Promise.all([once(http, 'listening'), server.start()]);
  const stop = async (): Promise<void> => {
    await server.stop({ timeout: 0 });
    http.closeAllConnections();
    http.close();
  };
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return { url, hub, [Symbol.asyncDispose]: stop };
}

/** The entry of the journal for a connection, come or to come. */
export function entry(what: Entry['what'], connectionId: string): Promise<Entry> {
  return journal.first(
    (one) => one.what === what && one.connectionId === connectionId,
    `'${what}' of ${connectionId}`,
  );
}
