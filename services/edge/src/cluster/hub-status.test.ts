import { MessageType } from '@trunkline/protocol';
import { expect, test } from 'vitest';
import type { FakeServer } from '../sessions/fixtures.test-support.ts';
import { roundTrip } from './cluster-member.test-support.ts';
import { guestOf, house } from './guests.test-support.ts';

/** What an app server is told of its hub: `1` where that has clients. */
async function statusFor(server: FakeServer): Promise<unknown> {
  server.says({ type: MessageType.Ping, entries: ['status', '1'] });
  const [status] = (await server.heard()).filter(
    ([kind, key]) => [kind, key].join() === 'ping,status',
  );
  return status?.[2];
}

/** An app server that hears of no clients for ten minutes may send them nothing more (section 7.4). */
test('a weak connection hears of clients of its hub at another edge', async () => {
  const { owner, host } = await house();
  const weak = host.edge.strangeServer({ serverId: 'manager' });
  weak.shakesHands(2);
  const elsewhere = await host.edge.server({ hub: 'other' });
  const server = await owner.edge.server();
  expect(await statusFor(weak)).toBe('0');
  const client = await guestOf(server, owner);
  owner.edge.pass(1);
  await roundTrip();
  expect([await statusFor(weak), await statusFor(elsewhere)]).toEqual(['1', '0']);
  client.socket.leave(1000);
  owner.edge.pass(1);
  await roundTrip();
  expect(await statusFor(weak)).toBe('0');
});
