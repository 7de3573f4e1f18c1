import { FakeAppServer } from '@trunkline/testing';
import { expect, it } from 'vitest';

import {
  beginHubMessages,
  beginServiceMessages,
  bytesTaken,
  MIB,
  quietClients,
} from './support/half-messages.ts';
import { metric } from './support/metrics.ts';
import { sharedEdge } from './support/shared-edge.ts';

/**
 * Memory that peers made an edge hold comes back when they go, though nothing else happens then that
 * would make the garbage collector come by.
 */

const HUB = 'hostile';
/** As `npm run attack` has it. */
const KEPT_BYTES = 32 * MIB;
const BACK = { timeout: 30_000, interval: 250 };

const { edge } = await sharedEdge();

const resident = (): Promise<number> => metric(edge, 'process_resident_memory_bytes');

/** Waits until so much has been taken from peers, and is held; answers what the edge had before. */
async function held(
  direction: 'from_client' | 'from_server',
  bytes: number,
  strike: () => void,
): Promise<number> {
  const [taken, before] = [await bytesTaken(edge, direction), await resident()];
  strike();
  await expect.poll(() => bytesTaken(edge, direction), BACK).toBeGreaterThanOrEqual(taken + bytes);
  expect(await resident()).toBeGreaterThan(before + bytes / 2);
  return before;
}

it('of service messages that app servers have begun', async () => {
  const servers = await Promise.all(
    Array.from({ length: 5 }, () => FakeAppServer.connect(edge.url, { hub: HUB })),
  );
  const before = await held('from_server', 200 * MIB, () => beginServiceMessages(servers, 40));
  for (const server of servers) void server.cut();
  await expect.poll(resident, BACK).toBeLessThan(before + KEPT_BYTES);
}, 90_000);

it('of hub messages that clients have begun', async () => {
  await using _server = await FakeAppServer.connect(edge.url, { hub: HUB, answers: 'handshakes' });
  const clients = await quietClients(edge, HUB, 20);
  const before = await held('from_client', 60 * MIB, () => beginHubMessages(clients));
  for (const client of clients) client[Symbol.dispose]();
  await expect.poll(resident, BACK).toBeLessThan(before + KEPT_BYTES);
}, 90_000);
