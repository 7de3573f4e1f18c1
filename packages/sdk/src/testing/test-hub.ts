import { randomUUID } from 'node:crypto';

import type { Payloads } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';
import type { Claims } from '@trunkline/tokens';
import { mintedPayload } from '@trunkline/tokens';

import type { SendTarget } from '../endpoints/router.ts';
import { sendTarget } from '../endpoints/router.ts';
import { systemClock } from '../clock.ts';
import type { AnyHub, Hub, HubClass, HubType } from '../hubs/hub.ts';
import type { MapOptions } from '../hubs/hub-route.ts';
import type { ClientOf } from '../hubs/typed-connection.ts';
import type { ServerOptions } from '../options.ts';
import { findProtocol } from '../protocols/index.ts';
import type { Destination } from '../sending/destination.ts';
import type { HubHandle } from '../server.ts';
import { Server } from '../server.ts';
import { MemoryService } from './memory-service.ts';
import { TestClient } from './test-client.ts';

/** A message that the hub sent, with whom it was for. */
export type SentMessage = SendTarget & {
  /** Connection ids that do not get it, of `all` or of a group. */
  readonly except: readonly string[];
  readonly method: string;
  /** As JSON carries them. */
  readonly args: readonly unknown[];
};

export interface TestHubOptions extends MapOptions {
  /** Default `/hub`. */
  readonly path?: string;
  /** What holds for a whole server, its filters for example. */
  readonly server?: Omit<
    ServerOptions,
    'connectionString' | 'endpoints' | 'router' | 'connectionCount'
  >;
}

/** Who connects. */
export interface TestUser {
  readonly userId?: string;
  readonly claims?: Claims;
  /** Of the client's connect request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
}

/** A service that is never dialled. */
const NOWHERE = `Endpoint=http://test;AccessKey=${randomUUID()};Version=1.0;`;

/**
 * A hub on a server of its own, and a service in this process: what runs is what runs in production,
 * down to the frames that go to the service. Stop it, or have `await using` do so. A class whose
 * constructor takes arguments needs the option `create`.
 */
export function testHub<Client, Class extends HubClass<Client>>(
  hubClass: Class & HubClass<Client>,
  options?: TestHubOptions,
): Promise<TestHub<Class, Client>>;
export function testHub<Made extends AnyHub, Class extends HubType<Made>>(
  hubClass: Class & HubType<Made>,
  options: TestHubOptions & { readonly create: () => NoInfer<Made> },
): Promise<TestHub<Class, ClientOf<Made>>>;
export async function testHub<Client, Class extends HubType<Hub<Client>>>(
  hubClass: Class & HubType<Hub<Client>>,
  options: TestHubOptions = {},
): Promise<TestHub<Class, Client>> {
  const hub = new TestHub<Class, Client>(hubClass, options);
  await hub.start();
  return hub;
}

/** See `testHub`. */
export class TestHub<Class, Client> {
  /** What `server.hub()` gives an app: for sends from outside a hub. */
  readonly handle: HubHandle<Client>;
  /** Everything that was sent, in order; what clients were asked is in their `received` alone. */
  readonly sent: SentMessage[] = [];
  readonly #path: string;
  readonly #service: MemoryService;
  readonly #server: Server;
  readonly #clients = new Set<TestClient<Class>>();

  /** Tests call `testHub`. Throws TrunklineError `bad-options`. */
  constructor(
    hubClass: HubType<Hub<Client>>,
    { path = '/hub', server = {}, ...options }: TestHubOptions,
  ) {
    this.#path = path;
    this.#service = new MemoryService((to, payloads) => this.sent.push(sentMessage(to, payloads)));
    const given = { ...server, connectionString: NOWHERE, connectionCount: 1 };
    this.#server = new Server(given, systemClock, {
      dial: () => this.#service.dial(),
      directory: ({ name }) => this.#service.directory(name),
    });
    // What makes the objects is checked by the overloads of `testHub`.
    this.handle = this.#server.hub(path, hubClass as HubClass<Client>, options);
  }

  start(): Promise<void> {
    return this.#server.start();
  }

  /**
   * A client that has negotiated, with what `authorize` has to say to it, and shaken hands. Rejects
   * with the text that a real one would be refused with.
   */
  async connect(user: TestUser = {}): Promise<TestClient<Class>> {
    const { token, query } = await this.#negotiate(user);
    const client = new TestClient<Class>(randomUUID(), user.userId, this.#service);
    this.#clients.add(client);
    this.#service.open(client, mintedPayload(token), {
      headers: new Map(Object.entries(user.headers ?? {}).map(([name, value]) => [name, [value]])),
      queryString: query,
    });
    await client.shakeHands();
    return client;
  }

  /**
   * Has a client sign in anew on the connection that it has: the same user, with other claims.
   * Resolves when calls see them, and `onAuthenticationRefresh` has begun. Rejects with the text that
   * a real client would be refused with.
   */
  async signInAnew({ id, userId }: TestClient<Class>, claims: Claims): Promise<void> {
    const refresh = this.#server.web({
      userId: () => userId,
      claims: () => claims,
      authenticationRefresh: true,
    });
    const url = new URL(`http://test${this.#path}/refresh?id=${id}`);
    const answer = await refresh(new Request(url, { method: 'POST' }));
    if (!answer.ok) throw new Error(`refresh: ${answer.status} ${await answer.text()}`);
  }

  /** Has every client leave, waits for the hub's `onDisconnected`, and stops. */
  async stop(): Promise<void> {
    for (const client of this.#clients) client.stop();
    await this.#server.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #negotiate({ userId, claims = {}, query = {} }: TestUser) {
    const negotiate = this.#server.web({ userId: () => userId, claims: () => claims });
    const url = new URL(`http://test${this.#path}/negotiate`);
    url.search = new URLSearchParams(query).toString();
    const answer = await negotiate(new Request(url, { method: 'POST' }));
    const text = await answer.text();
    if (!answer.ok) throw new Error(`negotiate: ${answer.status} ${text || answer.statusText}`);
    const redirect = JSON.parse(text) as { url: string; accessToken: string };
    return { token: redirect.accessToken, query: new URL(redirect.url).search };
  }
}

function sentMessage(to: Destination, payloads: Payloads): SentMessage {
  const [[name, record]] = [...payloads] as [[string, Uint8Array]];
  const message = findProtocol(name)!.parse(record, 0, record.length);
  if (message?.type !== 1) throw new Error('a send is an invocation');
  const except =
    to.type === MessageType.BroadcastData || to.type === MessageType.GroupBroadcastData
      ? to.excludedConnectionIds
      : [];
  return { ...sendTarget(to), except, method: message.target, args: message.args };
}
