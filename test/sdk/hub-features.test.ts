import { fileURLToPath } from 'node:url';

import { HubConnectionBuilder, LogLevel, Subject } from '@microsoft/signalr';
import type { HubConnection } from '@microsoft/signalr';
import type { HubStream, TypedConnection } from '@trunkline/sdk';
import { startEdge, startProcess } from '@trunkline/testing';
import type { StartedEdge, StartedProcess } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import type { Desk, DeskClient } from './desk.ts';

const SERVER = fileURLToPath(new URL('./desk-server.ts', import.meta.url));

let edge: StartedEdge;
let servers: StartedProcess<string>[] = [];
const connections: HubConnection[] = [];

/** Two app servers, so that a client can be on another one than who asks it. */
beforeAll(async () => {
  edge = await startEdge();
  const connectionString = formatConnectionString(edge.url, DEVELOPMENT_ACCESS_KEY);
  const start = () =>
    startProcess(process.execPath, [SERVER], {
      name: 'desk server',
      env: { TRUNKLINE_CONNECTION_STRING: connectionString },
      ready: (line) => line.startsWith('connected ') && line.slice('connected '.length),
    });
  servers = await Promise.all([start(), start()]);
});

afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.stop()));
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await edge?.stop();
});

function build(headers: Record<string, string>, query = ''): HubConnection {
  const connection = new HubConnectionBuilder()
    .withUrl(`${servers[0]!.ready}${query}`, { headers })
    .configureLogging(LogLevel.None)
    .build();
  connections.push(connection);
  return connection;
}

async function connect(headers: Record<string, string> = { 'x-user': 'ada' }, query?: string) {
  const connection = build(headers, query);
  await connection.start();
  const typed: TypedConnection<typeof Desk, DeskClient, HubConnection> = connection;
  return typed;
}

function collect<Item>(stream: HubStream<Item>): Promise<Item[]> {
  return new Promise((resolve, reject) => {
    const items: Item[] = [];
    stream.subscribe({
      next: (item) => void items.push(item),
      error: reject,
      complete: () => resolve(items),
    });
  });
}

describe('authorization', () => {
  test('of a hub answers negotiate with 401', async () => {
    await expect(build({}).start()).rejects.toThrow("Status code '401'");
  });

  test('of a method answers the call', async () => {
    const user = await connect();
    await expect(user.invoke('close')).rejects.toThrow(
      "Failed to invoke 'close' because user is unauthorized",
    );
    const admin = await connect({ 'x-user': 'ada', 'x-role': 'admin' });
    expect(await admin.invoke('close')).toBe('closed');
  });
});

test('a filter of the server refuses', async () => {
  const rude = await connect({ 'x-user': 'ada' }, '?rude=1');
  await expect(rude.invoke('Sum', 1, 2)).rejects.toThrow('HubException: Say please.');
  expect((await rude.invoke('whereAmI')).connectionId).toBe(rude.connectionId);
});

test('names, aliases and schemas', async () => {
  const client = await connect();
  const untyped = client as unknown as HubConnection;
  expect(await client.invoke('Sum', 1, 2)).toBe(3);
  expect(await untyped.invoke('plus', 1, '2')).toBe(3);
  await expect(untyped.invoke('Sum', 'one', 2)).rejects.toThrow(
    "Failed to invoke 'Sum' due to an error on the server.",
  );
  await expect(untyped.invoke('add', 1, 2)).rejects.toThrow('Method does not exist.');
});

describe('streams', () => {
  test('with more items than can wait for their client', { timeout: 60_000 }, async () => {
    const client = await connect();
    const items = await collect(client.stream('items', 200_000));
    expect(items).toHaveLength(200_000);
    expect(items.at(-1)).toEqual({ n: 199_999 });
  });

  test('of Node and of the web', async () => {
    const client = await connect();
    const parts: unknown[] = await collect(client.stream('file'));
    expect(parts.map((part) => Buffer.from(String(part), 'base64').toString())).toEqual([
      'hello ',
      'world',
    ]);
    expect(await collect(client.stream('web'))).toEqual(['hello']);
  });

  test('that the client has enough of', async () => {
    const client = await connect();
    const before = await client.invoke('timesTold');
    await new Promise<void>((resolve, reject) => {
      const subscription = client.stream('untilTold').subscribe({
        next: () => {
          subscription.dispose();
          resolve();
        },
        error: reject,
        complete: () => {},
      });
    });
    await expect.poll(() => client.invoke('timesTold')).toBe(before + 1);
  });

  test('that the client uploads', async () => {
    const client = await connect();
    const numbers = new Subject<number>();
    const total = client.invoke('total', numbers);
    for (let n = 1; n <= 100; n++) numbers.next(n);
    numbers.complete();
    expect(await total).toBe(5050);
    const texts = new Subject<unknown>();
    const refused = client.invoke('total', texts as Subject<number>);
    texts.next('one');
    await expect(refused).rejects.toThrow('HubException: Failed to bind Stream message.');
  });
});

test('client results, on whichever app server the client is', async () => {
  const asker = await connect();
  // More than the five connections of either server, so that both get some.
  const asked = await Promise.all(Array.from({ length: 12 }, () => connect()));
  const places = await Promise.all(asked.map((client) => client.invoke('whereAmI')));
  expect(new Set(places.map(({ server }) => server)).size).toBe(2);
  for (const [index, client] of asked.entries()) {
    client.on('confirm', async (question) => question === 'sure?');
    expect(await asker.invoke('ask', places[index]!.connectionId, 'sure?')).toBe(true);
    expect(await asker.invoke('ask', places[index]!.connectionId, 'really?')).toBe(false);
  }
});

test('a call that never ends is no concern of others', async () => {
  const stuck = await connect();
  const other = await connect();
  const waits = [stuck.invoke('never'), stuck.invoke('whereAmI')].map((call) =>
    call.catch(() => 'gone'),
  );
  expect(await other.invoke('Sum', 1, 1)).toBe(2);
  await stuck.stop();
  expect(await Promise.all(waits)).toEqual(['gone', 'gone']);
});
