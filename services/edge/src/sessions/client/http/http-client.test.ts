import { beforeEach, expect, test } from 'vitest';
import { FakeExchange } from '../../fake-exchange.test-support.ts';
import { JSON_HANDSHAKE, TestEdge, wire } from '../../fixtures.test-support.ts';
import { TRANSPORTS } from '../../transport.ts';
import { HttpClient } from './http-client.ts';
import { LongPoll } from './long-poll.ts';
import { TestSurroundings } from './transport.test-support.ts';

let edge: TestEdge;
let client: HttpClient;

beforeEach(() => {
  edge = new TestEdge();
  const { session } = edge.strangeClient({ transport: TRANSPORTS.longPolling });
  const times = { hangMs: 90_000, idleMs: 5_000 };
  const transport = new LongPoll(new FakeExchange(), {
    ...new TestSurroundings().options(),
    ...times,
  });
  const secrets = { connectionToken: 'connection', accessToken: 'access', owner: 'ann' };
  client = new HttpClient(session, transport, secrets, edge.context.heldPosts);
});

test('knows the tokens it came with from all others', () => {
  expect(client.hasConnectionToken('connection')).toBe(true);
  expect(client.hasAccessToken('access')).toBe(true);
  for (const other of ['', 'c', 'connection2', 'Access', 'ACCESS', 'é']) {
    expect(client.hasConnectionToken(other)).toBe(false);
    expect(client.hasAccessToken(other)).toBe(false);
  }
});

test('answers a post, and with nothing, once its bytes are on their way', async () => {
  const server = await edge.server();
  const exchange = new FakeExchange();
  client.post(wire(JSON_HANDSHAKE), exchange, edge.now);
  expect(exchange.answered).toEqual({ status: 200, headers: { 'content-type': 'text/plain' } });
  expect(await server.heard()).toHaveLength(2);
});
