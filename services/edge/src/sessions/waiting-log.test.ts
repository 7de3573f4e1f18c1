import { expect, test } from 'vitest';
import { JSON_HANDSHAKE, TestEdge } from './fixtures.test-support.ts';

test('tells which hub has clients and no app server, how many, since when, every ten seconds', async () => {
  const edge = new TestEdge({ serverWaitMs: 60_000 });
  edge.strangeClient().says(JSON_HANDSHAKE);
  edge.pass(1);
  edge.strangeClient().says(JSON_HANDSHAKE);
  edge.pass(21);
  const line = { level: 'warn', msg: 'clients wait for an app server', hub: 'chat', count: 1 };
  expect(edge.lines).toMatchObject([
    { ...line, serverConnections: 0, waiting: 1 },
    { ...line, waiting: 2 },
    { ...line, waiting: 2 },
  ]);
  const since = edge.lines.map(({ waitingSince }) => waitingSince);
  expect(new Set(since)).toEqual(new Set([expect.stringMatching(/^\d{4}-.*Z$/)]));
  const server = await edge.server();
  edge.context.digest.flush();
  edge.lines.length = 0;
  edge.pass(11);
  const told = () => edge.lines.filter(({ msg }) => msg === line.msg);
  expect(told()).toEqual([]);
  server.socket.leave(1000);
  edge.pass(1);
  const now = new Date(edge.context.time.unixSeconds() * 1000).toISOString();
  expect(told()).toMatchObject([{ ...line, waiting: 2, waitingSince: now }]);
});
