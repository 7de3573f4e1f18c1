import { expect, test } from 'vitest';
import { JSON_HANDSHAKE, TestEdge } from '../fixtures.test-support.ts';

test('a client that sends what no client sends is logged with the hub and what was wrong', () => {
  const edge = new TestEdge();
  edge.strangeClient().says('{"protocol":␞');
  expect(edge.lines).toMatchObject([
    { level: 'info', msg: 'client broke the protocol', hub: 'chat', code: 'bad-text' },
    { level: 'info', msg: 'clients closed', reason: 'HandshakeError', fault: 'client' },
  ]);
});

test('clients that nobody serves are one line and a count; those that leave are none', () => {
  const edge = new TestEdge({ serverWaitMs: 1000 });
  for (let i = 0; i < 100; i++) edge.strangeClient().says(JSON_HANDSHAKE);
  const other = edge.strangeClient();
  other.socket.leave(1000);
  edge.pass(20);
  const line = { msg: 'clients closed', hub: 'chat', reason: 'NoAvailableServerConnection' };
  expect(edge.lines).toMatchObject([
    { ...line, count: 1 },
    { ...line, count: 99 },
  ]);
});
