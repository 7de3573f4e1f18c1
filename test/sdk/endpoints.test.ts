import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { createServer, Hub } from '@trunkline/sdk';
import type { EndpointOptions, HubHandle, Logger, Server } from '@trunkline/sdk';
import { freePort, startEdge } from '@trunkline/testing';
import type { StartedEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { afterEach, expect, test, vi } from 'vitest';

import { startAppServer } from '../chaos/start-app-server.ts';
import { Client } from '../conformance/client.ts';
import { openSite } from './site.ts';

const PATIENCE_MS = 40_000;
const TEST_MS = 80_000;
const CLIENTS = 8;

const quiet: Logger = { info: () => {}, warn: () => {}, error: () => {} };

interface ChaosClient {
  message(value: unknown): void;
  where(): string;
}

/** The methods of the chaos tests' own hub that are used here. */
class Chaos extends Hub<ChaosClient> {
  server(): string {
    return 'here';
  }
  connectionId(): string {
    return this.context.connectionId;
  }
  async broadcast(value: unknown): Promise<void> {
    await this.clients.all.message(value);
  }
}

function endpoint(name: string, edge: StartedEdge, type: EndpointOptions['type'] = 'primary') {
  const connectionString = formatConnectionString(edge.url, DEVELOPMENT_ACCESS_KEY);
  return { name, connectionString, type };
}

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function edgeAt(port = 0): Promise<StartedEdge> {
  const edge = await startEdge({ args: ['--port', `${port}`] });
  cleanups.push(() => edge.stop());
  return edge;
}

/** An app at two edges: its server, its hub, and the URL that clients negotiate at. */
async function appAt(endpoints: readonly EndpointOptions[]) {
  const server: Server = createServer({ endpoints, logger: quiet });
  const hub: HubHandle<ChaosClient> = server.hub('/chaos', Chaos);
  const site = await openSite(server);
  cleanups.push(async () => site[Symbol.asyncDispose]());
  await eventually(() => expect(server.health.status).toBe('up'));
  return { server, hub, url: `${site.url}/chaos` };
}

async function connect(url: string): Promise<Client> {
  const connection = new HubConnectionBuilder()
    .withUrl(url)
    .withAutomaticReconnect(Array.from({ length: 60 }, () => 500))
    .configureLogging(LogLevel.None)
    .build();
  const client = new Client(connection);
  cleanups.push(() => client[Symbol.asyncDispose]());
  await connection.start();
  return client;
}

const connectAll = (url: string, count = CLIENTS) =>
  Promise.all(Array.from({ length: count }, () => connect(url)));

async function eventually(look: () => void): Promise<void> {
  await vi.waitFor(look, { timeout: PATIENCE_MS, interval: 50 });
}

/** Clients of each endpoint, by its name. */
function census(server: Server): Record<string, number> {
  const { endpoints } = server.health.hubs[0]!;
  return Object.fromEntries(endpoints.map(({ name, clients }) => [name, clients]));
}

test(
  'clients go to the primary edge, to the secondary when that is killed, and come together again',
  { timeout: TEST_MS },
  async () => {
    const port = await freePort();
    const [first, second] = [await edgeAt(port), await edgeAt()];
    const endpoints = [endpoint('a', first), endpoint('b', second, 'secondary')];
    const { server, hub, url } = await appAt(endpoints);
    const clients = await connectAll(url);
    expect(census(server)).toEqual({ a: CLIENTS, b: 0 });

    first.child.kill('SIGKILL');
    for (const client of clients) await client.event('reconnected');
    await eventually(() => expect(census(server)).toEqual({ a: 0, b: CLIENTS }));
    expect(server.health.status).toBe('degraded');
    for (const client of clients) expect(await client.invoke('server')).toBe('here');

    await edgeAt(port);
    await eventually(() => expect(server.health.status).toBe('up'));
    const late = await connect(url);
    expect(census(server)).toEqual({ a: 1, b: CLIENTS });
    for (const [number, client] of [late, clients[0]!].entries()) {
      await client.invoke('broadcast', number);
    }
    for (const client of [late, ...clients]) expect(await client.numbers(2)).toEqual([0, 1]);

    await hub.groups.add(await late.id(), 'g');
    await hub.groups.add(await clients[0]!.id(), 'g');
    await hub.clients.group('g').message(2);
    for (const client of [late, clients[0]!]) expect(await client.numbers(3)).toEqual([0, 1, 2]);
    await expect(clients[1]!.invoke('server')).resolves.toBe('here');
    expect(clients[1]!.messages.all).toHaveLength(2);
  },
);

test(
  'two primary edges share the clients, and a client of another server is found at either',
  { timeout: TEST_MS },
  async () => {
    const [first, second] = [await edgeAt(), await edgeAt()];
    const other = await startAppServer({ edgeUrl: second.url, hub: 'chaos', name: 'there' });
    cleanups.push(() => other.stop());
    const { server, hub, url } = await appAt([endpoint('a', first), endpoint('b', second)]);
    const clients = await connectAll(url, 24);
    const places = await Promise.all(clients.map((client) => client.invoke<string>('server')));
    const { a, b } = census(server);
    const elsewhere = places.filter((place) => place === 'there').length;
    expect(a! + b! + elsewhere).toBe(24);
    expect(Math.min(a!, b!, elsewhere)).toBeGreaterThan(0);

    await hub.clients.all.message(1);
    for (const client of clients) expect(await client.numbers(1)).toEqual([1]);

    const far = clients[places.indexOf('there')]!;
    far.connection.on('where', () => 'far away');
    const id = await far.id();
    expect(await hub.clients.client(id).invoke().where()).toBe('far away');
    await hub.groups.add(id, 'g');
    await hub.clients.group('g').message(2);
    expect(await far.numbers(2)).toEqual([1, 2]);
    const nobody = hub.clients.client('nobody').invoke().where();
    await expect(nobody).rejects.toMatchObject({ code: 'client-gone' });
    await hub.groups.add('nobody', 'g');
  },
);
