import type { MessageFromService } from '@trunkline/protocol';
import { FlowControlOperation, FlowControlTarget, MessageType } from '@trunkline/protocol';
import { expect, test } from 'vitest';
import { SendResult } from '../../ports/socket.ts';
import type { FakeClient, FakeServer } from '../fixtures.test-support.ts';
import { JSON_HANDSHAKE, TestEdge, turn } from '../fixtures.test-support.ts';
import { TestHttpEdge } from './http/door.test-support.ts';

const { Pause, Resume } = FlowControlOperation;
const ITEM = '{"type":2,"invocationId":"1","item":1}␞';
const SLOW_BYTES = 32 * 1024;

/** The hub sends an item, after which so many bytes are queued for the client. */
function queue(server: FakeServer, client: FakeClient, bytes: number): void {
  client.socket.answer = SendResult.Queued;
  client.socket.buffered = bytes;
  server.data(client, ITEM);
}

function control(client: { readonly id: string }, operation: number): MessageFromService {
  return {
    type: MessageType.ConnectionFlowControl,
    connectionId: client.id,
    connectionType: FlowControlTarget.Client,
    operation,
  };
}

test('streams to a slow client rest until it has taken everything, and may rest again', async () => {
  const edge = new TestEdge();
  const server = await edge.server();
  const client = await edge.client(server);
  queue(server, client, SLOW_BYTES - 1);
  expect(await server.messages()).toEqual([]);
  queue(server, client, SLOW_BYTES);
  expect(await server.messages()).toEqual([control(client, Pause)]);
  queue(server, client, 3 * SLOW_BYTES);
  client.socket.buffered = 1;
  client.session.drained();
  expect(await server.messages()).toEqual([]);
  client.socket.drain();
  expect(await server.messages()).toEqual([control(client, Resume)]);
  client.socket.drain();
  expect(await server.messages()).toEqual([]);
  queue(server, client, SLOW_BYTES);
  expect(await server.messages()).toEqual([control(client, Pause)]);
});

test('so do those to one on an event stream, from the message on that it does not take', async () => {
  const edge = new TestHttpEdge();
  const server = await edge.server();
  const guest = edge.guest();
  const stream = edge.stream(guest);
  edge.post(guest, JSON_HANDSHAKE);
  server.data(guest, '{}␞');
  await turn();
  await server.messages();
  stream.takes = false;
  server.data(guest, `{"type":2,"item":"${'x'.repeat(SLOW_BYTES)}"}␞`);
  await turn();
  expect(await server.messages()).toEqual([control(guest, Pause)]);
  expect([...edge.context.backlogged].map((one) => one.queuedBytes() > SLOW_BYTES)).toEqual([true]);
  stream.drain();
  expect(await server.messages()).toEqual([control(guest, Resume)]);
  expect(edge.context.backlogged.size).toBe(0);
});

test('other servers of the hub hear nothing of it', async () => {
  const edge = new TestEdge();
  const [first, second] = [await edge.server(), await edge.server()];
  const client = await edge.client(first);
  queue(first, client, SLOW_BYTES);
  client.socket.drain();
  expect(await first.messages()).toHaveLength(2);
  expect(await second.messages()).toEqual([]);
});

test.each(['Microsoft.Azure.SignalR/1.34.0 (.NET 10)', 'not-trunkline-sdk/1', ''])(
  'an app server of another kind is not told: %j',
  async (userAgent) => {
    const edge = new TestEdge();
    const server = await edge.server({ userAgent });
    const client = await edge.client(server);
    queue(server, client, SLOW_BYTES);
    client.socket.drain();
    expect(await server.messages()).toEqual([]);
  },
);
