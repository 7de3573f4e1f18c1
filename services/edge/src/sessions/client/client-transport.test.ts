import { describe, expect, test } from 'vitest';
import { counted, JSON_HANDSHAKE, TestEdge, wire } from '../fixtures.test-support.ts';
import { TRANSPORTS } from '../transport.ts';

const CALL = '{"type":1,"target":"a","arguments":[]}␞';

describe('what came before the connection was made', () => {
  test('is read first, and may be more than the handshake request', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = edge.strangeClient({ early: wire(JSON_HANDSHAKE + CALL.slice(0, 9)) });
    client.says(CALL.slice(9));
    expect(await server.heard()).toEqual([
      ['open', client.id, 'json'],
      ['data', client.id, JSON_HANDSHAKE],
      ['data', client.id, CALL],
    ]);
  });

  test('may be half a handshake request', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = edge.strangeClient({ early: wire(JSON_HANDSHAKE.slice(0, 9)) });
    expect(await server.heard()).toEqual([]);
    client.says(JSON_HANDSHAKE.slice(9));
    expect(await server.heard()).toHaveLength(2);
  });

  test('ends the connection when it is no handshake, or too much', () => {
    const edge = new TestEdge();
    expect(edge.strangeClient({ early: wire('rubbish␞') }).socket.isOpen).toBe(false);
    const much = wire(JSON_HANDSHAKE + 'x'.repeat(64 * 1024 + 1));
    expect(edge.strangeClient({ early: much }).socket.isOpen).toBe(false);
    expect(edge.closes).toEqual({ HandshakeError: 1, BadRequest: 1 });
    expect(edge.hubs.get('chat')!.waiting.size).toBe(0);
  });
});

describe('a transport for text alone', () => {
  test.each(['messagepack', 'blazorpack'])('refuses %s, and its hub never hears', async (name) => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = edge.strangeClient({ transport: TRANSPORTS.serverSentEvents });
    client.says(`{"protocol":"${name}","version":1}␞`);
    const error =
      `Cannot use the '${name}' protocol on the current transport. ` +
      "The transport does not support 'Binary' transfer format.";
    expect(client.socket.sent).toEqual([{ text: `${JSON.stringify({ error })}␞`, binary: false }]);
    expect(edge.closes).toEqual({ HandshakeError: 1 });
    expect(await server.heard()).toEqual([]);
  });

  test('leaves a protocol nobody knows to the hub to refuse', async () => {
    const edge = new TestEdge();
    const server = await edge.server();
    const client = edge.strangeClient({ transport: TRANSPORTS.serverSentEvents });
    client.says('{"protocol":"zzz","version":1}␞');
    expect(await server.heard()).toContainEqual(['open', client.id, 'zzz']);
  });
});

test('connections are counted by transport, while they are there and as they come', () => {
  const edge = new TestEdge();
  const clients = (['webSockets', 'longPolling', 'longPolling'] as const).map((label) =>
    edge.strangeClient({ transport: TRANSPORTS[label] }),
  );
  const { connections } = edge.hubs.get('chat')!;
  expect(connections).toEqual({ webSockets: 1, serverSentEvents: 0, longPolling: 2 });
  clients[1]!.socket.leave(1000);
  clients[0]!.socket.leave(1006);
  expect(connections).toEqual({ webSockets: 0, serverSentEvents: 0, longPolling: 1 });
  expect(counted(edge.context.counters.clientOpens)).toEqual({ webSockets: 1, longPolling: 2 });
});
