import { MessageType } from '@trunkline/protocol';
import { FakeAppServer } from '@trunkline/testing';
import { expect, it } from 'vitest';

import { HubClient } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';
import { PollClient, StreamClient } from './support/request-clients.ts';
import { sharedEdge } from './support/shared-edge.ts';

/** Posts wait for their 200 while the app server does not read, instead of filling the edge. */

const HUB = 'stuck';
const PIECE = 'x'.repeat(256 * 1024);
/** More than this in the edge's own queue, and a server connection is full. */
const FULL_BYTES = 1024 * 1024;
/** What the kernel may hold of a loopback connection is well below this many pieces. */
const MOST_POSTS = 200;

const { edge } = await sharedEdge();

const said = (n: number): string =>
  `${JSON.stringify({ type: 1, target: 'said', arguments: [n, PIECE] })}\x1e`;

const inFlight = (): Promise<number> => metric(edge, 'trunkline_pool_used', { pool: 'posts' });
const queued = (): Promise<number> =>
  metric(edge, 'trunkline_outbound_queue_bytes', { side: 'server' });

/** The numbers that have reached the hub from a client. */
function heard(stuck: FakeAppServer, connectionId: string): number[] {
  const numbers: number[] = [];
  for (const message of stuck.received.all) {
    if (message.type !== MessageType.ConnectionData || message.connectionId !== connectionId)
      continue;
    const found = /^\{"type":1,"target":"said","arguments":\[(\d+),/.exec(
      Buffer.from(message.payload).toString('latin1', 0, 60),
    );
    if (found !== null) numbers.push(Number(found[1]));
  }
  return numbers;
}

it.each([
  ['polls', PollClient],
  ['reads a stream', StreamClient],
] as const)(
  'of a client that %s: all are answered in the end, and arrive in order',
  async (_name, Client) => {
    await using stuck = await FakeAppServer.connect(edge.url, { hub: HUB });
    await using client = await Client.connect(edge.url, { hub: HUB });
    await using other = await HubClient.connect(edge.url);
    stuck.pause();
    let sent = 0;
    while (sent < MOST_POSTS && (await queued()) <= FULL_BYTES) {
      expect((await client.connection.post(said(sent++))).status).toBe(200);
    }
    expect(await queued()).toBeGreaterThan(FULL_BYTES);

    const held: Promise<number>[] = [];
    for (let waiting = 1; waiting <= 3; waiting++) {
      held.push(client.connection.post(said(sent++)).then(({ status }) => status));
      await expect.poll(inFlight).toBe(waiting);
    }
    expect(await other.call('echo', 'here')).toBe('here');
    // Held is what the edge has taken, and not answered.
    expect(await Promise.race([...held, inFlight().then((posts) => `${posts} wait`)])).toBe(
      '3 wait',
    );

    stuck.resume();
    expect(await Promise.all(held)).toEqual([200, 200, 200]);
    await expect.poll(() => heard(stuck, client.connectionId).length).toBe(sent);
    expect(heard(stuck, client.connectionId)).toEqual(Array.from({ length: sent }, (_, n) => n));
    expect(await client.call('echo', 'on')).toBe('on');
    expect(await inFlight()).toBe(0);
  },
);
