import { expect } from 'vitest';

import type { Client } from '../conformance/client.ts';
import type { Network } from './network.ts';
import { CONNECTIONS } from './start-app-server.ts';
import { expectUnaware } from './two-apps.ts';
import type { World } from './world.ts';

/** Clients on each server connection. */
export const CLIENTS_EACH = 2;

/** One app server that reaches the edge through a network, and its clients. */
export interface BehindNetwork {
  /** Its links are the server connections. */
  readonly network: Network;
  readonly clients: readonly Client[];
  /** Connection ids of the clients as they were at first. */
  readonly ids: ReadonlyMap<Client, string>;
}

/** Of a world that was started without app servers. */
export async function behindNetwork(world: World, delayMs = 0): Promise<BehindNetwork> {
  const network = await world.network(delayMs);
  await world.startApp({ edgeUrl: network.url });
  await world.serverConnections(CONNECTIONS);
  const clients = await world.connectAll(CLIENTS_EACH * CONNECTIONS);
  const ids = await Promise.all(clients.map((client) => client.id()));
  return { network, clients, ids: new Map(clients.map((client, at) => [client, ids[at]!])) };
}

/**
 * Waits until the app server has seen the clients of one server connection go and come again, and
 * gives their ids. None of them, and nobody else, has noticed; all can call.
 */
export async function expectFewMoved(world: World, all: BehindNetwork): Promise<string[]> {
  const { clients, ids } = all;
  const lines = (event: string): string[] =>
    [...world.apps[0]!.output().matchAll(/^(\w+) (\S+)/gm)]
      .filter(([, what]) => what === event)
      .map(([, , id]) => id!);
  await world.eventually(() => {
    expect(lines('disconnected')).toHaveLength(CLIENTS_EACH);
    expect(lines('connected').slice(clients.length).sort()).toEqual(lines('disconnected').sort());
  });
  for (const client of clients) {
    expect(await client.invoke('echo', 'here')).toBe('here');
    expect(await client.id()).toBe(ids.get(client));
  }
  expectUnaware(clients);
  return lines('disconnected');
}

/**
 * Waits until the clients of one server connection have come back, told by a hub Close without an
 * error, and gives their former ids. Nothing has happened to the others, and all can call.
 */
export async function expectFewBack(world: World, all: BehindNetwork): Promise<string[]> {
  const { clients, ids } = all;
  const back = (): Client[] =>
    clients.filter(({ events }) => events.all.some(({ type }) => type === 'reconnected'));
  await world.eventually(() => expect(back()).toHaveLength(CLIENTS_EACH));
  for (const client of clients) {
    const told = { type: 'reconnecting', error: undefined };
    expect(client.events.all.slice(0, 1)).toEqual(back().includes(client) ? [told] : []);
    expect(await client.invoke('echo', 'here')).toBe('here');
  }
  return back().map((client) => ids.get(client)!);
}
