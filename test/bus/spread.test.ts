import { createServer, Hub, type Server, type ServerOptions } from '@trunkline/sdk';
import {
  freePort,
  startEdge,
  type StartedEdge,
  startNats,
  startRoundRobinProxy,
} from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { afterEach, describe, expect, it } from 'vitest';

import { metric } from '../edge/support/metrics.ts';
import { called, officialClient } from '../traps/support/official-client.ts';
import { knows, NATS_ENGINE, startCluster } from './engines.ts';

const PATIENCE = { timeout: 30_000 };

/** Ends a call that runs. */
let answerNow = (): void => {};

class Chat extends Hub<{ said(text: string): void }> {
  async echoLater(text: string): Promise<string> {
    await new Promise<void>((resolve) => (answerNow = resolve));
    return text;
  }
  async say(text: string): Promise<void> {
    await this.clients.all.said(text);
  }
}

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** An app server that is given this one URL. */
async function serveFrom(url: string, options: ServerOptions = {}) {
  const connectionString = formatConnectionString(url, DEVELOPMENT_ACCESS_KEY);
  const logger = { info() {}, warn() {}, error() {} };
  const server: Server = createServer({ connectionString, logger, ...options });
  cleanups.push(() => server.stop({ timeout: 0 }));
  const hub = server.hub('/chat', Chat, { maximumParallelInvocationsPerClient: 2 });
  await server.start();
  return hub;
}

const serversAt = (edge: StartedEdge): Promise<number> =>
  metric(edge, 'trunkline_server_connections', { hub: 'chat' });

describe.skipIf(!NATS_ENGINE.isHere)('an app server of the SDK that knows one URL', () => {
  it('is connected to every edge that has its own, and clients do not notice the end of one', async () => {
    await using nats = await startNats();
    const start = async () => {
      const port = await freePort();
      const own = ['--port', `${port}`, '--public-url', `http://127.0.0.1:${port}`];
      return startEdge({ args: ['--bus', `nats://${nats.host}`, ...own] });
    };
    await using a = await start();
    await using b = await start();
    await knows(b, 2);
    const hub = await serveFrom(a.url);
    await expect.poll(() => serversAt(b), PATIENCE).toBe(1);
    await expect.poll(() => serversAt(a), PATIENCE).toBe(5);

    const client = officialClient(`${b.url}/client/?hub=chat`);
    cleanups.push(() => client.stop());
    const ends: unknown[] = [];
    client.onclose((error) => ends.push(error));
    await client.start();
    const answer = client.invoke('echoLater', 'still here');

    a.child.kill('SIGKILL');
    await a.exited;
    const heard = called(client, 'said');
    await client.invoke('say', 'by the client');
    expect(await heard).toBe('by the client');
    await knows(b, 1);
    const told = called(client, 'said');
    await hub.clients.all.said('by the app');
    expect(await told).toBe('by the app');
    answerNow();
    expect(await answer).toBe('still here');
    expect(ends).toEqual([]);
  });

  it('has two edges under it, when the URL is that of a load balancer', async () => {
    await using cluster = await startCluster(NATS_ENGINE, 2);
    const proxy = await startRoundRobinProxy(cluster.edges.map(({ url }) => url));
    cleanups.push(() => proxy[Symbol.asyncDispose]());
    await serveFrom(proxy.url, { connectionCount: 1 });
    const servers = () => Promise.all(cluster.edges.map(serversAt));
    await expect.poll(servers, PATIENCE).toEqual([1, 1]);
  });
});
