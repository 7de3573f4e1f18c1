import {
  type HubConnection,
  HubConnectionBuilder,
  type IHttpConnectionOptions,
  LogLevel,
} from '@microsoft/signalr';
import { Mailbox } from '@trunkline/testing';
import { vi } from 'vitest';

import { DEADLINE_MS } from '../../conformance/client.ts';
import { settingsFolder } from './guide.ts';
import type { RestoredPart, StartedApp } from './part.ts';

const CONNECTED = { timeout: 20_000, interval: 50 };

/** What `Orders` tells its clients. */
type Placed = readonly [who: string, what: string];

/** A client of the guide's app. */
export class Shopper implements AsyncDisposable {
  readonly connection: HubConnection;
  readonly closed: Promise<Error | undefined>;
  readonly #placed = new Mailbox<Placed>();

  /** Starts it. */
  static async visit(url: string, options: IHttpConnectionOptions): Promise<Shopper> {
    const shopper = new Shopper(url, options);
    await shopper.connection.start();
    return shopper;
  }

  private constructor(url: string, options: IHttpConnectionOptions) {
    this.connection = new HubConnectionBuilder()
      .withUrl(url, options)
      .configureLogging(LogLevel.None)
      .build();
    this.connection.on('placed', (...placed: [string, string]) => this.#placed.add(placed));
    this.closed = new Promise((resolve) => this.connection.onclose(resolve));
  }

  place(what: string): Promise<void> {
    return this.connection.invoke('place', what);
  }

  /** Who has placed this order, once everybody is told. */
  async buyerOf(what: string): Promise<string> {
    const [who] = await this.#placed.first(([, order]) => order === what, what, DEADLINE_MS);
    return who;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.stop();
  }
}

/** Starts the guide's app with these settings, and waits until it sends clients somewhere. */
export async function startShop(
  shop: RestoredPart,
  name: string,
  settings: string,
  edgeUrls: readonly string[],
): Promise<StartedApp> {
  const cwd = await settingsFolder(name, settings, edgeUrls);
  const env = { ASPNETCORE_URLS: 'http://127.0.0.1:0' };
  const app = await shop.start(env, { cwd, saying: 'Now listening on: ' });
  const headers = await signIn(app, 'nobody');
  await vi.waitFor(() => negotiate(app, headers), CONNECTED);
  return app;
}

/** The headers of somebody who has signed in. */
export async function signIn(app: StartedApp, name: string): Promise<{ Cookie: string }> {
  const answer = await fetch(`${app.url}/sign-in?name=${name}`, { method: 'POST' });
  const cookie = answer.headers.get('set-cookie')?.split(';')[0];
  if (cookie === undefined) throw new Error(`no sign-in: ${answer.status} ${await answer.text()}`);
  return { Cookie: cookie };
}

/** Where the app sends a client, and with what token. Rejects with the status of another answer. */
export async function negotiate(
  app: StartedApp,
  headers: Record<string, string>,
): Promise<{ url: string; accessToken: string }> {
  const url = `${app.url}/orders/negotiate?negotiateVersion=1`;
  const answer = await fetch(url, { method: 'POST', headers });
  if (!answer.ok) throw new Error(`negotiate: ${answer.status}`);
  return (await answer.json()) as { url: string; accessToken: string };
}
