import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import type { DotnetStandIn, ShutdownMode } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, mintClientToken } from '@trunkline/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Client } from '../../conformance/client.ts';
import { TEST_MS, World } from './world.ts';

const CLIENTS = 5;

/**
 * An app that keeps in its process, by connection id, who is where, and clients that enter their rooms
 * again when they have reconnected: as on Kestrel, unless its mode says that clients may be moved.
 */
describe.concurrent('clients in rooms that their app server knows', { timeout: TEST_MS }, () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start();
  });

  afterAll(async () => world[Symbol.asyncDispose]());

  async function scene(
    shutdown: ShutdownMode,
  ): Promise<{ leaving: DotnetStandIn; staying: DotnetStandIn; clients: Client[] }> {
    const leaving = await world.startApp('1.34.0', { shutdown });
    const { prefix } = leaving;
    const clients = Array.from({ length: CLIENTS }, () => signedIn(`${prefix}main`));
    await Promise.all(clients.map(({ connection }) => connection.start()));
    const staying = await world.startApp('1.34.0', { shutdown, prefix });
    for (const [n, client] of clients.entries()) {
      client.connection.onreconnected(() => void client.invoke('enter', `room ${n}`));
      await client.invoke('enter', `room ${n}`);
    }
    return { leaving, staying, clients };
  }

  /** Whichever app server is there may have signed it in: one that is gone could not do so again. */
  function signedIn(hub: string): Client {
    const token = { key: DEVELOPMENT_ACCESS_KEY, audienceBase: 'http://edge/', hub };
    const connection = new HubConnectionBuilder()
      .withUrl(`${world.edge.url}/client/?hub=${hub}`, {
        accessTokenFactory: () => mintClientToken(token),
      })
      .withAutomaticReconnect([0, 50, 100, 200, 400])
      .configureLogging(LogLevel.None)
      .build();
    return new Client(connection);
  }

  it.each<[ShutdownMode, 'kill' | 'stop']>([
    ['Off', 'kill'],
    ['Off', 'stop'],
    ['MigrateClients', 'kill'],
    ['WaitForClientsClose', 'kill'],
  ])('mode %s, %s: are told, and in their rooms again', async (shutdown, leave) => {
    const { leaving, staying, clients } = await scene(shutdown);
    await leaving[leave]();
    for (const [n, client] of clients.entries()) {
      await client.event('reconnected');
      expect(client.events.all).toEqual([
        { type: 'reconnecting', error: undefined },
        { type: 'reconnected', error: undefined },
      ]);
      expect(await client.invoke('pid')).toBe(staying.pid);
      expect(await client.invoke('room')).toBe(`room ${n}`);
      await client.connection.stop();
    }
  });

  it('mode MigrateClients, stop: are moved, and in no room', async () => {
    const { leaving, staying, clients } = await scene('MigrateClients');
    await leaving.stop();
    for (const client of clients) {
      expect(await client.invoke('pid')).toBe(staying.pid);
      expect(await client.failure('room')).toContain('You are in no room.');
      expect(client.events.all).toEqual([]);
      await client.connection.stop();
    }
  });

  it('mode WaitForClientsClose, stop: stay, in their rooms, until they close', async () => {
    const { leaving, staying, clients } = await scene('WaitForClientsClose');
    const stopped = leaving.stop();
    await world.eventually(async () => {
      await using newcomer = signedIn(`${leaving.prefix}main`);
      await newcomer.connection.start();
      expect(await newcomer.invoke('pid')).toBe(staying.pid);
    });
    const rooms = await Promise.all(clients.map((client) => client.invoke('room')));
    expect(rooms).toEqual(clients.map((_client, n) => `room ${n}`));
    await Promise.all(clients.map(({ connection }) => connection.stop()));
    expect((await stopped).code).toBe(0);
  });
});
