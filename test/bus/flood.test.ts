import { encodeServiceMessage, MessageType } from '@trunkline/protocol';
import { FakeAppServer, TcpProxy } from '@trunkline/testing';
import { describe, expect, it, onTestFinished } from 'vitest';

import { metric } from '../edge/support/metrics.ts';
import { ENGINES, knows } from './engines.ts';
import { lossesOf, lossesSince } from './outage/losses.ts';
import { connectTo, startPlace } from './place.ts';

const MB = 1_000_000;
const LONG = encodeServiceMessage({
  type: MessageType.BroadcastData,
  excludedConnectionIds: [],
  payloads: new Map([['json', Buffer.alloc(MB / 2, '.')]]),
});
/** Three server connections say almost three times as much together as a bus holds, */
const SERVERS = 3;
const MESSAGES = 60;
/** over a line that is slower than they are. */
const BYTES_PER_SECOND = 40 * MB;

describe.each(ENGINES)('an app server that says more than the bus takes, on $label,', (engine) => {
  it.skipIf(!engine.isHere)(
    'waits: nothing of it is lost, nor of what another hub says meanwhile',
    { timeout: 120_000 },
    async () => {
      const bus = await engine.start();
      onTestFinished(async () => void (await bus.stop()));
      const address = `${engine.scheme}://${bus.host}`;
      const line = await TcpProxy.start(`http://${bus.host}`);
      line.bytesPerSecond = BYTES_PER_SECOND;
      onTestFinished(() => line[Symbol.asyncDispose]());
      const slow = `${engine.scheme}://${new URL(line.url).host}`;
      const places = await Promise.all([startPlace(slow), startPlace(address)]);
      const [{ edge: near, desk }, { edge: far }] = places;
      onTestFinished(async () => {
        for (const place of places) await place[Symbol.asyncDispose]();
      });
      for (const edge of [near, far]) await knows(edge, 2);
      const hub = { hub: 'flood' };
      const servers = await Promise.all(
        Array.from({ length: SERVERS }, () => FakeAppServer.connect(near.url, hub)),
      );
      servers.push(await FakeAppServer.connect(far.url, hub));
      onTestFinished(async () => {
        for (const server of servers) await server.close();
      });
      const { told } = await connectTo(places[1], 'ann');

      for (const server of servers.slice(0, SERVERS)) {
        for (let n = 0; n < MESSAGES; n++) server.writeRaw(LONG);
      }
      const texts = Array.from({ length: 100 }, (_, n) => `${n}`);
      for (const text of texts) await desk.clients.all.told(text);
      await expect.poll(() => told, { timeout: 60_000 }).toEqual(texts);
      const bytes = { direction: 'received' };
      const all = SERVERS * MESSAGES * (MB / 2);
      await expect
        .poll(() => metric(far, 'trunkline_bus_bytes_total', bytes), { timeout: 60_000 })
        .toBeGreaterThan(all);
      for (const edge of [near, far]) {
        expect(lossesSince(undefined, await lossesOf(edge))).toEqual(new Map());
      }
    },
  );
});
