import { FakeAppServer } from '@trunkline/testing';
import { expect, it } from 'vitest';

import { SETTLE_ARGS, settledBytes } from '../bench/process-usage.ts';
import { expectAlive } from './support/alive.ts';
import {
  beginHubMessages,
  beginServiceMessages,
  bytesTaken,
  HALF_HUB_MESSAGE_BYTES,
  MIB,
  quietClients,
} from './support/half-messages.ts';
import { metric } from './support/metrics.ts';
import { RawSocket } from './support/raw-socket.ts';
import { sharedEdge } from './support/shared-edge.ts';
import { userToken } from './support/tokens.ts';

const HUB = 'hostile';
/** What one round makes the edge hold is over 100 MB: an eighth of that kept would be seen. */
const ROUNDS = 5;
const BOUND_BYTES = 40 * MIB;

const { edge } = await sharedEdge({ nodeArgs: SETTLE_ARGS });

/** Waits until the edge has taken so many more bytes while `send` runs. */
async function taken(
  direction: 'from_client' | 'from_server',
  bytes: number,
  send: () => void,
): Promise<void> {
  const before = await bytesTaken(edge, direction);
  send();
  await expect
    .poll(() => bytesTaken(edge, direction), { timeout: 10_000 })
    .toBeGreaterThanOrEqual(before + bytes);
}

/** Clients that leave an unfinished message behind. */
async function halfMessages(): Promise<void> {
  const clients = await quietClients(edge, HUB, 20);
  const bytes = clients.length * HALF_HUB_MESSAGE_BYTES;
  await taken('from_client', bytes, () => beginHubMessages(clients));
  for (const client of clients) client[Symbol.dispose]();
}

/** Clients that never say a word. */
async function silentClients(): Promise<void> {
  const clients = Array.from({ length: 200 }, () => new RawSocket(edge.url));
  await Promise.all(
    clients.map((client, index) =>
      client.upgrade(`/client/?hub=${HUB}&access_token=${userToken(HUB, `user ${index}`)}`),
    ),
  );
  for (const client of clients) client[Symbol.dispose]();
}

/** App servers that announce 100 MB and send 12. */
async function halfFrames(): Promise<void> {
  const servers = await Promise.all(
    Array.from({ length: 5 }, () => FakeAppServer.connect(edge.url, { hub: HUB })),
  );
  await taken('from_server', servers.length * 12 * MIB, () => beginServiceMessages(servers, 12));
  await Promise.all(servers.map((one) => one.cut()));
}

async function round(): Promise<void> {
  const hostile = await FakeAppServer.connect(edge.url, { hub: HUB, answers: 'handshakes' });
  await halfMessages();
  await silentClients();
  await hostile.close();
  await halfFrames();
  const clients = { hub: HUB, transport: 'webSockets' };
  await expect.poll(() => metric(edge, 'trunkline_client_connections', clients)).toBe(0);
  await expect.poll(() => metric(edge, 'trunkline_server_connections', { hub: HUB })).toBe(0);
}

it('gives back what hostile peers made it hold', async () => {
  // The first rounds bring the heap to its working size.
  for (let i = 0; i < 2; i++) await round();
  const descriptors = await metric(edge, 'process_open_fds');
  const before = await settledBytes(edge.pid);
  const after: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    await round();
    after.push((await settledBytes(edge.pid)) - before);
  }
  // An allocator keeps some free memory, now more, now less; what leaks only ever grows.
  expect(Math.min(...after.slice(-3))).toBeLessThan(BOUND_BYTES);
  await expect.poll(() => metric(edge, 'process_open_fds')).toBeLessThanOrEqual(descriptors);
  await expectAlive(edge);
}, 120_000);
