import { beforeEach, describe, expect, test } from 'vitest';
import type { FakeExchange } from '../../fake-exchange.test-support.ts';
import type { FakeServer } from '../../fixtures.test-support.ts';
import { JSON_HANDSHAKE, MESSAGEPACK_HANDSHAKE, turn } from '../../fixtures.test-support.ts';
import type { Guest } from './door.test-support.ts';
import { TestHttpEdge } from './door.test-support.ts';

const CALL = '{"type":1,"target":"a","arguments":[]}␞';
const UNKNOWN_ID = { status: 404, body: 'No Connection with that ID' };

let edge: TestHttpEdge;
let server: FakeServer;
let guest: Guest;

beforeEach(async () => {
  edge = new TestHttpEdge();
  server = await edge.server();
  guest = edge.guest();
});

/** Shakes hands, once the transport is there; both have read what came. */
async function open(): Promise<void> {
  edge.post(guest, JSON_HANDSHAKE);
  server.data(guest, '{}␞');
  await server.messages();
}

async function openPolling(): Promise<void> {
  edge.poll(guest);
  await open();
  expect(edge.poll(guest).body).toBe('{}␞');
}

async function openStream(): Promise<FakeExchange> {
  const stream = edge.stream(guest);
  await open();
  return stream;
}

describe('a client that polls', () => {
  test('posts its messages and polls for those of its hub', async () => {
    expect(edge.poll(guest)).toMatchObject({ status: 200, body: '' });
    const posted = edge.post(guest, JSON_HANDSHAKE + CALL);
    expect(posted.answered).toEqual({ status: 200, headers: { 'content-type': 'text/plain' } });
    expect(await server.heard()).toEqual([
      ['open', guest.id, 'json'],
      ['data', guest.id, JSON_HANDSHAKE],
      ['data', guest.id, CALL],
    ]);
    const hanging = edge.poll(guest);
    server.data(guest, `{}␞${CALL}`);
    await turn();
    expect(hanging).toMatchObject({ status: 200, body: `{}␞${CALL}` });
    expect(edge.hubs.get('chat')!.connections).toMatchObject({ longPolling: 1 });
  });

  test('may speak a binary protocol', async () => {
    edge.poll(guest);
    edge.post(guest, MESSAGEPACK_HANDSHAKE);
    expect(await server.heard()).toContainEqual(['open', guest.id, 'messagepack']);
  });

  test('leaves with DELETE: its poll ends, and its hub hears of it', async () => {
    await openPolling();
    const hanging = edge.poll(guest);
    expect(edge.leave(guest).answered).toEqual({ status: 202 });
    expect(hanging.status).toBe(204);
    expect(await server.heard()).toEqual([['close', guest.id, '']]);
    expect(edge.closes).toEqual({ Normal: 1 });
    expect(edge.poll(guest).answered).toMatchObject(UNKNOWN_ID);
    expect(edge.leave(guest).answered).toMatchObject(UNKNOWN_ID);
    expect(edge.hubs.get('chat')!.connections).toMatchObject({ longPolling: 0 });
  });

  test('hears what its hub said last before it hears the end, though its hub has gone', async () => {
    await openPolling();
    server.data(guest, `${CALL}{"type":7}␞`);
    server.closes(guest);
    expect(edge.poll(guest)).toMatchObject({ status: 200, body: `${CALL}{"type":7}␞` });
    expect(edge.post(guest, CALL).status).toBe(404);
    expect(edge.poll(guest).status).toBe(204);
    expect(edge.poll(guest).answered).toMatchObject(UNKNOWN_ID);
    expect(edge.closes).toEqual({ ClosedByAppServer: 1 });
  });

  test('is closed when no poll comes for 5 seconds, and still finds its end for 15', async () => {
    await openPolling();
    edge.passWith(server, 4);
    expect(edge.closes).toEqual({});
    edge.passWith(server, 1);
    expect(edge.closes).toEqual({ PollTimeout: 1 });
    expect(await server.heard()).toContainEqual(['close', guest.id, '']);
    edge.passWith(server, 14);
    expect(edge.poll(guest).body).toBe('{"type":7,"allowReconnect":true}␞');
    edge.passWith(server, 15);
    expect(edge.poll(guest).answered).toMatchObject(UNKNOWN_ID);
  });

  test('may take as long between polls as its token says', async () => {
    guest = edge.guest({ system: { pollIntervalSeconds: 60 } });
    await openPolling();
    edge.passWith(server, 59);
    expect(edge.closes).toEqual({});
    edge.passWith(server, 1);
    expect(edge.closes).toEqual({ PollTimeout: 1 });
  });

  test('is not blamed for the time that the edge slept', async () => {
    await openPolling();
    edge.sleep(60);
    edge.passWith(server, 3);
    expect(edge.closes).toEqual({});
    expect(edge.poll(guest).isOpen).toBe(true);
  });

  test('has its poll answered, empty, after the time that polls may hang', async () => {
    edge = new TestHttpEdge({ pollMs: 30_000 });
    server = await edge.server();
    guest = edge.guest();
    await openPolling();
    const hanging = edge.poll(guest);
    edge.passWith(server, 29);
    expect(hanging.isOpen).toBe(true);
    edge.passWith(server, 1);
    expect(hanging).toMatchObject({ status: 200, body: '' });
    expect(edge.closes).toEqual({});
  });

  test('that takes too little is cut off', async () => {
    edge = new TestHttpEdge({ clientQueueBytes: 100 });
    server = await edge.server();
    guest = edge.guest();
    await openPolling();
    for (let i = 0; i < 4; i++) server.data(guest, CALL);
    expect(edge.closes).toEqual({ SlowClient: 1 });
    expect(edge.poll(guest).answered).toMatchObject(UNKNOWN_ID);
  });
});

describe('a client with an event stream', () => {
  test('posts its messages and reads those of its hub', async () => {
    const stream = await openStream();
    server.data(guest, CALL);
    await turn();
    expect(stream.body).toBe(`:\r\ndata: {}␞\r\n\r\ndata: ${CALL}\r\n\r\n`);
    edge.post(guest, CALL);
    expect(await server.heard()).toEqual([['data', guest.id, CALL]]);
    expect(edge.hubs.get('chat')!.connections).toMatchObject({ serverSentEvents: 1 });
  });

  test('is not asked to poll, and ends by going', async () => {
    const stream = await openStream();
    edge.passWith(server, 60);
    expect(stream.isOpen).toBe(true);
    stream.leave();
    expect(edge.closes).toEqual({ Normal: 1 });
    expect(await server.heard()).toContainEqual(['close', guest.id, '']);
    expect(edge.stream(guest).answered).toMatchObject(UNKNOWN_ID);
    expect(edge.hubs.get('chat')!.connections).toMatchObject({ serverSentEvents: 0 });
  });

  test('cannot speak a binary protocol, and is told so', async () => {
    const stream = edge.stream(guest);
    edge.post(guest, MESSAGEPACK_HANDSHAKE);
    const error =
      "Cannot use the 'messagepack' protocol on the current transport. " +
      "The transport does not support 'Binary' transfer format.";
    expect(stream.body).toBe(`:\r\ndata: ${JSON.stringify({ error })}␞\r\n\r\n`);
    expect(stream.wasEnded).toBe(true);
    expect(edge.closes).toEqual({ HandshakeError: 1 });
    expect(await server.heard()).toEqual([]);
  });

  test('is cut when it takes too little', async () => {
    edge = new TestHttpEdge({ clientQueueBytes: 100 });
    server = await edge.server();
    guest = edge.guest();
    const stream = await openStream();
    stream.takes = false;
    for (let i = 0; i < 5; i++) {
      server.data(guest, CALL);
      await turn();
    }
    expect(stream.wasCut).toBe(true);
    expect(edge.closes).toEqual({ SlowClient: 1 });
  });
});
