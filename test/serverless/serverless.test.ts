import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { HubConnection } from '@microsoft/signalr';
import {
  HttpTransportType,
  HubConnectionBuilder,
  JsonHubProtocol,
  LogLevel,
} from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { startEdge, type StartedEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY } from '@trunkline/tokens';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { startAppServer } from '../chaos/start-app-server.ts';
import { scrape } from '../edge/support/metrics.ts';
import { userToken } from '../edge/support/tokens.ts';
import { Upstream } from './upstream.ts';

const PATIENCE_MS = 30_000;
const folder = mkdtempSync(join(tmpdir(), 'trunkline-serverless-'));
const config = join(folder, 'edge.json');
const PROTOCOLS = { json: new JsonHubProtocol(), messagepack: new MessagePackHubProtocol() };

let edge: StartedEdge;
let upstream: Upstream;
const connections: HubConnection[] = [];

function writeConfig(hubs: unknown): void {
  writeFileSync(config, JSON.stringify({ hubs, upstreamTimeout: 2 }));
}

/** Has the edge read its config file again; `said` is what it logs of that. */
async function reread(hubs: unknown, said: string): Promise<void> {
  const before = edge.output().length;
  writeConfig(hubs);
  process.kill(edge.pid, 'SIGHUP');
  await vi.waitUntil(() => edge.output().slice(before).includes(said), PATIENCE_MS);
}

const hubsWith = (path: string): object => ({
  chat: { upstream: [{ urlTemplate: `${upstream.url}/${path}` }] },
  chaos: { migration: 'always', upstream: [{ urlTemplate: `${upstream.url}/chaos` }] },
});

beforeAll(async () => {
  upstream = await Upstream.start();
  writeConfig(hubsWith('{hub}/{category}/{event}?code=k'));
  edge = await startEdge({ args: ['--config', config] });
});
afterEach(async () => {
  upstream.mood = 'well';
  await Promise.all(connections.splice(0).map((connection) => connection.stop()));
});
afterAll(async () => {
  await edge?.stop();
  await upstream?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function connect(
  protocol: keyof typeof PROTOCOLS = 'json',
  hub = 'chat',
  transport = HttpTransportType.None,
): Promise<HubConnection> {
  const connection = new HubConnectionBuilder()
    .withUrl(`${edge.url}/client/?hub=${hub}`, {
      accessTokenFactory: () => userToken(hub, 'ann'),
      ...(transport !== HttpTransportType.None && { transport }),
    })
    .withHubProtocol(PROTOCOLS[protocol])
    .configureLogging(LogLevel.None)
    .build();
  connections.push(connection);
  await connection.start();
  return connection;
}

const failure = async (call: Promise<unknown>): Promise<string> =>
  call.then(String, (error: Error) => error.message);

describe.each(['json', 'messagepack'] as const)(
  'a client of a serverless hub, in %s',
  (protocol) => {
    it('calls its upstream, which is told of its coming and going', async () => {
      const connection = await connect(protocol);
      const id = connection.connectionId!;
      expect(await connection.invoke('echo', { text: 'hällo', n: 1 })).toEqual({
        text: 'hällo',
        n: 1,
      });
      await connection.send('note', 1);
      await connection.stop();
      await vi.waitUntil(() => upstream.eventsOf(id).includes('disconnected'), PATIENCE_MS);
      expect(upstream.eventsOf(id)).toEqual(['connected', 'echo', 'note', 'disconnected']);
      const digest = createHmac('sha256', DEVELOPMENT_ACCESS_KEY).update(id).digest('hex');
      expect(upstream.heard.find(({ connectionId }) => connectionId === id)!.headers).toMatchObject(
        {
          'x-asrs-hub': 'chat',
          'x-asrs-category': 'connections',
          'x-asrs-user-id': 'ann',
          'x-asrs-signature': `sha256=${digest}`,
          'content-type': 'application/json',
        },
      );
    });

    it.each([
      ['failing', /Invocation failed, status code 500/],
      ['lost', /Invocation failed, status code 404/],
      ['gone', /Invocation failed, status code 500/],
      ['garbage', /Invocation failed, error: the answer of the upstream does not complete/],
      ['cut', /Invocation failed, error: /],
      ['slow', /Invocation failed, status code 500/],
    ] as const)('hears of an upstream that is %s, and goes on', async (mood, said) => {
      const connection = await connect(protocol);
      upstream.mood = mood;
      expect(await failure(connection.invoke('echo', 1))).toMatch(said);
      upstream.mood = 'well';
      expect(await connection.invoke('echo', 2)).toBe(2);
    });
  },
);

it.each([HttpTransportType.LongPolling, HttpTransportType.ServerSentEvents])(
  'is served on transport %i, too',
  async (transport) => {
    const connection = await connect('json', 'chat', transport);
    expect(await connection.invoke('echo', 'x')).toBe('x');
  },
);

it('keeps the order of what each client says', async () => {
  const some = await Promise.all(Array.from({ length: 10 }, () => connect()));
  await Promise.all(
    some.map(async (connection) => {
      for (let n = 0; n < 100; n++) void connection.send('note', n);
      expect(await connection.invoke('echo', 'last')).toBe('last');
    }),
  );
  for (const { connectionId } of some) {
    const said = upstream.heard.filter((one) => one.connectionId === connectionId);
    const numbers = said.flatMap(({ event, args }) => (event === 'note' ? [args[0]] : []));
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, n) => n));
  }
});

it('leaves clients connected while the upstream is dead, and others alone', async () => {
  const connection = await connect();
  await using other = await Upstream.start();
  await reread(
    { ...hubsWith('chat'), board: { upstream: [{ urlTemplate: other.url }] } },
    'settings of hubs read again',
  );
  const elsewhere = await connect('json', 'board');
  await upstream.die();
  for (let n = 0; n < 6; n++) {
    expect(await failure(connection.invoke('echo', n))).toMatch(/status code 50[03]/);
    expect(await elsewhere.invoke('echo', n)).toBe(n);
  }
  const during = (await scrape(edge)).value('trunkline_upstream_breakers', { state: 'open' });
  expect(during).toBe(1);
  await upstream.listen();
  await vi.waitUntil(async () => (await failure(connection.invoke('echo', 'back'))) === 'back', {
    timeout: PATIENCE_MS,
    interval: 250,
  });
  const after = await scrape(edge);
  const calls = { hub: 'chat', category: 'messages' };
  const name = 'trunkline_upstream_calls_total';
  expect(after.value(name, { ...calls, outcome: 'unreachable' })).toBeGreaterThan(0);
  expect(after.value(name, { ...calls, outcome: 'breaker_open' })).toBeGreaterThan(0);
  expect(after.value('trunkline_upstream_calls', { state: 'in_flight' })).toBe(0);
  expect(after.value('trunkline_pool_used', { pool: 'upstream_events' })).toBe(0);
});

it('takes other rules on SIGHUP, without dropping anyone, and keeps those it has for wrong ones', async () => {
  const connection = await connect();
  await reread(hubsWith('changed'), 'settings of hubs read again');
  expect(await connection.invoke('echo', 1)).toBe(1);
  await reread({ chat: { upstreams: [] } }, 'settings not read again: the old ones stay');
  const line = edge.output().trimEnd().split('\n').at(-1)!;
  expect(JSON.parse(line)).toMatchObject({
    level: 'error',
    reason: `${config}: hubs.chat.upstreams is no setting: hubs.chat takes withoutServer, migration, upstream`,
  });
  expect(await connection.invoke('echo', 2)).toBe(2);
  await reread({ chat: { withoutServer: 'refuse' } }, 'settings of hubs read again');
  expect(await failure(connect())).toContain('No app server is connected for this hub');
  await reread(hubsWith('chat'), 'settings of hubs read again');
});

it('hands its clients to an app server and has them back when that is killed, connected all the while', async () => {
  const connection = await connect('json', 'chaos');
  let closes = 0;
  connection.onclose(() => closes++);
  const until = (name: string): Promise<unknown> =>
    vi.waitUntil(async () => (await failure(connection.invoke('server'))) === name, {
      timeout: PATIENCE_MS,
      interval: 100,
    });
  await until('upstream');
  for (const name of ['A', 'B']) {
    const app = await startAppServer({ edgeUrl: edge.url, name, hub: 'chaos' });
    try {
      await until(name);
    } finally {
      await app.kill();
    }
    await until('upstream');
  }
  expect(closes).toBe(0);
});

it('stops in time, and tells upstreams of the end of their clients', async () => {
  const connection = await connect();
  const id = connection.connectionId!;
  await edge.stop();
  expect(upstream.eventsOf(id)).toEqual(['connected', 'disconnected']);
});
