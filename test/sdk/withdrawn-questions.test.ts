import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import type { HubConnection } from '@microsoft/signalr';
import { createServer, Hub } from '@trunkline/sdk';
import type { HubHandle } from '@trunkline/sdk';
import { startEdge } from '@trunkline/testing';
import type { StartedEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { metric } from '../edge/support/metrics.ts';
import { openSite, type Site } from './site.ts';

/** An edge remembers who waits for a client's answer, and should not once nobody does. */

interface Asked {
  confirm(question: string): boolean;
}

class Asking extends Hub<Asked> {}

let edge: StartedEdge;
let site: Site;
let hub: HubHandle<Asked>;
let client: HubConnection;

beforeAll(async () => {
  edge = await startEdge();
  const connectionString = formatConnectionString(edge.url, DEVELOPMENT_ACCESS_KEY);
  const server = createServer({ connectionString, connectionCount: 2 });
  hub = server.hub('/asking', Asking);
  site = await openSite(server);
  const url = `${site.url}/asking`;
  client = new HubConnectionBuilder().withUrl(url).configureLogging(LogLevel.None).build();
  client.on('confirm', () => new Promise<boolean>(() => {}));
  await client.start();
});

afterAll(async () => {
  await client?.stop();
  await site?.[Symbol.asyncDispose]();
  await edge?.stop();
});

const remembered = (): Promise<number> =>
  metric(edge, 'trunkline_pool_used', { pool: 'client_results' });

const ask = (options: { timeout?: number; signal?: AbortSignal }): Promise<boolean> =>
  hub.clients.client(client.connectionId!).invoke(options).confirm('?');

test('an edge forgets a question whose asker has aborted it', async () => {
  const controller = new AbortController();
  const asked = ask({ signal: controller.signal });
  asked.catch(() => {});
  await expect.poll(remembered).toBe(1);
  controller.abort();
  await expect(asked).rejects.toThrow('Invocation canceled by the server.');
  await expect.poll(remembered).toBe(0);
});

test('and more of them than one client may owe, one after the other', async () => {
  for (let turn = 0; turn < 3; turn++) {
    const asked = Array.from({ length: 50 }, () => ask({ timeout: 50 }));
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.map(({ status }) => status)).toEqual(Array(50).fill('rejected'));
    for (const outcome of outcomes) {
      expect(String((outcome as PromiseRejectedResult).reason)).toContain('within 50 ms');
    }
  }
  await expect.poll(remembered).toBe(0);
});
