import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { createServer, Hub } from '@trunkline/sdk';
import type { HubHandle, Logger } from '@trunkline/sdk';
import { startEdge } from '@trunkline/testing';
import type { StartedEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { openSite, type Site } from './site.ts';

const quiet: Logger = { info: () => {}, warn: () => {}, error: () => {} };
const NEWCOMERS = 40;
const TEST_MS = 120_000;

interface LobbyClient {
  heard(way: string, id: string): void;
}

let outside: HubHandle<LobbyClient>;

/** Tells of whoever comes in every way there is. */
class Lobby extends Hub<LobbyClient> {
  override async onConnected(): Promise<void> {
    const { connectionId: id } = this.context;
    await Promise.all([
      this.clients.all.heard('all', id),
      this.clients.caller.heard('caller', id),
      this.clients.user('ann').heard('user', id),
      // On other server connections than the client's, whose answer they can overtake.
      ...Array.from({ length: 4 }, (_, n) =>
        outside.clients.users(['ann', `${n}`]).heard(`user ${n}`, id),
      ),
      outside.clients.all.heard('all, from outside', id),
    ]);
    await this.groups.add(id, 'everybody');
    await this.clients.group('everybody').heard('group', id);
  }
}

const WAYS = [
  'all',
  'all, from outside',
  'caller',
  'group',
  'user',
  'user 0',
  'user 1',
  'user 2',
  'user 3',
];

let edge: StartedEdge;
let site: Site;
let url: string;

beforeAll(async () => {
  edge = await startEdge();
  const connectionString = formatConnectionString(edge.url, DEVELOPMENT_ACCESS_KEY);
  const server = createServer({ connectionString, logger: quiet });
  outside = server.hub('/lobby', Lobby);
  site = await openSite(server, { userId: () => 'ann' });
  url = `${site.url}/lobby`;
});

afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
  await edge?.stop();
});

/** A newcomer, and in which ways it has heard of itself so far. */
async function newcomer(transport: HttpTransportType) {
  const connection = new HubConnectionBuilder()
    .withUrl(url, { transport })
    .configureLogging(LogLevel.None)
    .build();
  const heard: [way: string, id: string][] = [];
  connection.on('heard', (way: string, id: string) => heard.push([way, id]));
  await connection.start();
  const ways = (): string[] => {
    const own = heard.filter(([, id]) => id === connection.connectionId);
    return own.map(([way]) => way).toSorted();
  };
  return { ways, leave: () => connection.stop() };
}

test.each([
  ['WebSockets', HttpTransportType.WebSockets],
  ['server-sent events', HttpTransportType.ServerSentEvents],
  ['long polling', HttpTransportType.LongPolling],
])(
  'what onConnected sends reaches every newcomer over %s',
  async (_name, transport) => {
    for (let n = 1; n <= NEWCOMERS; n++) {
      const { ways, leave } = await newcomer(transport);
      await expect.poll(() => [n, ...ways()], { interval: 5 }).toEqual([n, ...WAYS]);
      await leave();
    }
  },
  TEST_MS,
);
