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
  await edge.server();
  edge.context.digest.flush();
  edge.lines.length = 0;
  edge.pass(11);
  expect(edge.lines.filter(({ msg }) => msg === line.msg)).toEqual([]);
});
