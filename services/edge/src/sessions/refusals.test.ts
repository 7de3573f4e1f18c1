import { expect, test } from 'vitest';
import { TestHttpEdge } from './client/http/door.test-support.ts';
import { requestWith, tokenFor } from './client/visits.test-support.ts';
import { FakeExchange } from './fake-exchange.test-support.ts';
import { TestEdge } from './fixtures.test-support.ts';

const ORIGIN = 'https://app.example';

test('a refused client is logged with reason, hub, origin and how many since', () => {
  const edge = new TestEdge();
  const request = requestWith('nonsense', 'hub=chat', { origin: ORIGIN });
  for (let i = 0; i < 5; i++) {
    edge.negotiate(request);
    edge.connect(request);
  }
  edge.pass(10);
  const line = { level: 'info', msg: 'client refused', reason: 'malformed', hub: 'chat' };
  const from = { origin: ORIGIN, remoteAddress: '192.0.2.7' };
  expect(edge.lines).toMatchObject([
    { ...line, ...from, count: 1 },
    { ...line, ...from, count: 9, since: expect.any(String) },
  ]);
});

test('a refused origin has a line of its own', () => {
  const edge = new TestEdge({}, { allowedOrigins: ['https://other.example'] });
  edge.negotiate(requestWith(tokenFor(edge), 'hub=chat', { origin: ORIGIN }));
  expect(edge.lines).toMatchObject([{ msg: 'origin refused', origin: ORIGIN, hub: 'chat' }]);
});

test.each([
  ['hub=', 'no_hub'],
  ['hub=1', 'hub_name'],
  ['hub=chat&id=nobody.1.x', 'unknown_id'],
])('polls, posts and leaves with %s are refused for %s', (query, reason) => {
  const edge = new TestHttpEdge();
  const request = requestWith(tokenFor(edge), query);
  edge.doors.receive(request, new FakeExchange());
  edge.doors.send(request, new FakeExchange());
  edge.doors.leave(request, new FakeExchange());
  edge.context.digest.flush();
  expect(edge.lines.map(({ msg, count }) => [msg, count])).toEqual([
    ['client refused', 1],
    ['client refused', 2],
  ]);
  expect(edge.lines).toMatchObject([{ reason }, { reason }]);
});

test('whoever is let in leaves no line', () => {
  const edge = new TestHttpEdge();
  const guest = edge.guest();
  edge.poll(guest);
  edge.leave(guest);
  expect(edge.lines).toEqual([]);
});
