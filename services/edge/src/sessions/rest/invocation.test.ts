import { encode } from '@msgpack/msgpack';
import { mintRestToken } from '@trunkline/tokens';
import { expect, test } from 'vitest';
import { FakeExchange } from '../fake-exchange.test-support.ts';
import { KEY, TestEdge } from '../fixtures.test-support.ts';

test('a client whose hub protocol a framed message does not speak is not asked, and the caller is told', async () => {
  const edge = new TestEdge();
  const client = await edge.client(await edge.server());
  const path = `/api/hubs/chat/connections/${client.id}/:invoke`;
  const now = Math.floor(edge.time.unixSeconds());
  const token = mintRestToken({ key: KEY, audience: `http://edge${path}`, now });
  const exchange = new FakeExchange();
  const headers = new Map([
    ['authorization', `Bearer ${token}`],
    ['content-type', 'application/octet-stream'],
  ]);
  const query = 'api-version=2024-12-01';
  const request = { method: 'POST', path, query, headers, remoteAddress: '127.0.0.1' };
  const record = encode([1, {}, 'own', 'confirm', [], []]);
  const post = edge.doors.rest(request, exchange)!;
  post.take(Buffer.from(encode({ messagepack: Uint8Array.of(record.length, ...record) })));
  expect([exchange.status, JSON.parse(exchange.body)]).toEqual([
    400,
    {
      code: 'Error.Request.Invalid',
      message: `The message has no payload in the hub protocol of connection '${client.id}'.`,
    },
  ]);
  expect(client.heard).toEqual([]);
});
