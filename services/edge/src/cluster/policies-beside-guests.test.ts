import { beforeEach, expect, test } from 'vitest';
import { SendResult } from '../ports/socket.ts';
import { turn } from '../sessions/fixtures.test-support.ts';
import type { Member } from './cluster-member.test-support.ts';
import { announced, arriving, house, serverAt } from './guests.test-support.ts';

let owner: Member;
let host: Member;

beforeEach(async () => {
  ({ owner, host } = await house());
  owner.edge.context.policies.replace({
    named: new Map(),
    others: { withoutServer: 'refuse', migration: 'app', upstream: [] },
  });
});

test('what a hub does without app servers is done where none is, at no edge', async () => {
  await arriving(owner);
  expect(owner.edge.closes).toEqual({ NoAvailableServerConnection: 1 });
});

test('an app server of another edge is one', async () => {
  const server = await serverAt(host);
  const client = await arriving(owner);
  expect((await server.heard()).map(([kind]) => kind)).toEqual(['open', 'data']);
  expect(client.socket.isOpen).toBe(true);
});

test('so is one there that takes no more clients: they wait for it', async () => {
  const server = await serverAt(host);
  server.socket.buffered = 10 * 1024 * 1024;
  server.socket.answer = SendResult.Queued;
  server.session.write({ type: 3, entries: [] });
  await turn();
  await announced(host);
  const client = await arriving(owner);
  expect(client.socket.isOpen).toBe(true);
  expect(owner.edge.hubs.get('chat')!.waiting.size).toBe(1);
});
