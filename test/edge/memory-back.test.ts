import { FakeAppServer } from '@trunkline/testing';
import { expect, it } from 'vitest';

import { JSON_HANDSHAKE } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';
import { frame, Opcode, RawSocket } from './support/raw-socket.ts';
import { sharedEdge } from './support/shared-edge.ts';
import { userToken } from './support/tokens.ts';

/**
 * Memory that peers made an edge hold comes back when they go, though nothing else happens then that
 * would make the garbage collector come by.
 */

const HUB = 'hostile';
const MIB = 1024 * 1024;
/** As `npm run attack` has it. */
const KEPT_BYTES = 32 * MIB;
const BACK = { timeout: 30_000, interval: 250 };

const { edge } = await sharedEdge();

const resident = (): Promise<number> => metric(edge, 'process_resident_memory_bytes');
const bytesFrom = (direction: string): Promise<number> =>
  metric(edge, 'trunkline_message_bytes_total', { direction });

/** Waits until so much has been taken from peers, and is held; answers what the edge had before. */
async function held(direction: string, bytes: number, strike: () => void): Promise<number> {
  const [taken, before] = [await bytesFrom(direction), await resident()];
  strike();
  await expect.poll(() => bytesFrom(direction), BACK).toBeGreaterThanOrEqual(taken + bytes);
  expect(await resident()).toBeGreaterThan(before + bytes / 2);
  return before;
}

it('of service messages that app servers have begun', async () => {
  const servers = await Promise.all(
    Array.from({ length: 5 }, () => FakeAppServer.connect(edge.url, { hub: HUB })),
  );
  const before = await held('from_server', 200 * MIB, () => {
    for (const server of servers) {
      // The length of a message of 100 MiB.
      server.writeRaw(Uint8Array.of(0x80, 0x80, 0x80, 0x32));
      for (let n = 0; n < 40; n++) server.writeRaw(Buffer.alloc(MIB));
    }
  });
  for (const server of servers) void server.cut();
  await expect.poll(resident, BACK).toBeLessThan(before + KEPT_BYTES);
}, 90_000);

it('of hub messages that clients have begun', async () => {
  await using _server = await FakeAppServer.connect(edge.url, { hub: HUB, answers: 'handshakes' });
  const clients = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const socket = new RawSocket(edge.url);
      await socket.upgrade(`/client/?hub=${HUB}&access_token=${userToken(HUB, 'mallory')}`);
      socket.write(frame(Opcode.Text, JSON_HANDSHAKE));
      await socket.frames.first(() => true, 'the handshake response');
      return socket;
    }),
  );
  const before = await held('from_client', 60 * MIB, () => {
    for (const client of clients) client.write(frame(Opcode.Text, 'x'.repeat(3 * MIB)));
  });
  for (const client of clients) client[Symbol.dispose]();
  await expect.poll(resident, BACK).toBeLessThan(before + KEPT_BYTES);
}, 90_000);
