import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';

import { FakeAppServer, startEdge } from '@trunkline/testing';
import { expect, it } from 'vitest';

import { SETTLE_ARGS, settledBytes } from '../bench/process-usage.ts';
import { HttpConnection } from './support/http-connection.ts';
import { JSON_HANDSHAKE } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';

const POLLERS = 20;
const MESSAGE = '{"type":1,"target":"t"}\x1e';
/** A poll that left 500 bytes behind would make 5 MB of 10,000. */
const BOUND_BYTES = 4 * 1024 * 1024;

/** `fetch` would take most of the time that there is. */
const agent = new Agent({ keepAlive: true });

function pollOnce({ path, negotiated }: HttpConnection, edgeUrl: string): Promise<string> {
  const headers = { authorization: `Bearer ${negotiated.accessToken}` };
  return new Promise((resolve, reject) => {
    get(edgeUrl + path, { agent, headers }, (answer) => resolve(text(answer))).on('error', reject);
  });
}

it('polls leave nothing behind, 12,000 of them in a row', async () => {
  await using edge = await startEdge({ nodeArgs: SETTLE_ARGS });
  await using server = await FakeAppServer.connect(edge.url);
  const pollers = await Promise.all(
    Array.from({ length: POLLERS }, async () => {
      const connection = await HttpConnection.negotiate(edge.url);
      await connection.openPolling(JSON_HANDSHAKE);
      return connection;
    }),
  );

  async function poll(times: number): Promise<void> {
    await Promise.all(
      pollers.map(async (connection) => {
        for (let n = 0; n < times / POLLERS; n++) {
          const answer = pollOnce(connection, edge.url);
          server.data(connection.negotiated.connectionId, Buffer.from(MESSAGE));
          if ((await answer) !== MESSAGE) throw new Error('another message');
        }
      }),
    );
  }

  await poll(2_000);
  const before = await settledBytes(edge.pid);
  await poll(10_000);
  expect((await settledBytes(edge.pid)) - before).toBeLessThan(BOUND_BYTES);
  expect(await metric(edge, 'trunkline_client_closes_total', { reason: 'PollTimeout' })).toBe(0);
  expect(await metric(edge, 'trunkline_outbound_queue_bytes', { side: 'client' })).toBe(0);
  for (const connection of pollers) expect((await connection.leave()).status).toBe(202);
  agent.destroy();
}, 180_000);
