/**
 * Client protocols reference, section 10: who speaks how often, and who waits how long. These tests
 * wait for real times, all at once.
 */
import { HttpTransportType } from '@microsoft/signalr';
import { expect, it } from 'vitest';

import { HttpConnection } from '../edge/support/http-connection.ts';
import { HubClient } from '../edge/support/hub-client.ts';
import { Opcode } from '../edge/support/raw-socket.ts';
import { StreamClient } from '../edge/support/request-clients.ts';
import { entry, journal, sharedApp } from './support/app.ts';
import { officialClient } from './support/official-client.ts';
import { RawHubClient } from './support/raw-hub-client.ts';

const isPing = ({ type }: { readonly type: number }): boolean => type === 6;

const { edge } = await sharedApp();

it.concurrent('trap 8: a client that nobody speaks to hears a ping every 15 seconds', async () => {
  const started = performance.now();
  await using socket = await HubClient.connect(edge.url);
  await using stream = await StreamClient.connect(edge.url);
  const pings = [socket, stream].map(({ received }) => received.first(isPing, 'a ping', 18_000));
  expect(await Promise.all(pings)).toEqual([{ type: 6 }, { type: 6 }]);
  expect(performance.now() - started).toBeGreaterThan(14_000);
}, 25_000);

it.concurrent('trap 9: silence ends a client that pings, and none that never did', async () => {
  await using old = await HubClient.connect(edge.url, { hub: 'brief' });
  await using pinging = await HubClient.connect(edge.url, { hub: 'brief' });
  pinging.write('{"type":6}\x1e');
  await pinging.closed;
  expect(pinging.received.all.at(-1)).toMatchObject({ type: 7, allowReconnect: true });
  expect(await old.call('echo', 'still here')).toBe('still here');
});

/** Those that say nothing for 16 s get some, without a payload: see `stalled-messages.test.ts`. */
it.concurrent('trap 17: hub pings keep a client, which neither gets WebSocket pings nor has to answer any', async () => {
  using client = await RawHubClient.connect(edge.url, { hub: 'brief' });
  for (let pings = 0; pings < 2; pings++) expect(await client.nextTexts()).toEqual(['{"type":6}']);
  expect(client.socket.frames.all.map(({ opcode }) => opcode)).not.toContain(Opcode.Ping);
  client.send(Opcode.Ping, 'are you there');
  const { frames } = client.socket;
  const pong = await frames.first(({ opcode }) => opcode === Opcode.Pong, 'a pong');
  expect(pong.payload.toString()).toBe('are you there');
});

let refused = 0;

/** As in a network that lets no WebSockets through. */
function NoWebSocket(): never {
  refused++;
  throw new Error('no WebSockets here');
}

it.concurrent('trap 22: a connection token that nobody uses is good for 15 seconds, and no hub hears of it', async () => {
  const started = performance.now();
  const orphan = await HttpConnection.negotiate(edge.url);
  // Falls back to the next transport, and so leaves a token unused.
  const network = {
    transport: HttpTransportType.WebSockets | HttpTransportType.ServerSentEvents,
    WebSocket: NoWebSocket,
  };
  const client = officialClient(`${edge.url}/client/?hub=chat`, network);
  await client.start();
  expect(refused).toBe(1);
  const { connectionId } = client;
  const probe = async (): Promise<number> => (await orphan.post('')).status;
  expect(await probe()).toBe(200);
  await expect.poll(probe, { interval: 500, timeout: 18_000 }).toBe(404);
  expect(performance.now() - started).toBeGreaterThan(14_000);
  expect((await orphan.poll()).status).toBe(404);
  await client.stop();
  await entry('disconnected', connectionId!);
  const heardOf = journal.all.filter((one) =>
    [connectionId, orphan.negotiated.connectionId].includes(one.connectionId),
  );
  expect(heardOf.map(({ what }) => what)).toEqual(['connected', 'disconnected']);
}, 25_000);

it.concurrent('trap 33: pings come among other messages too, and disturb nobody', async () => {
  await using client = await HubClient.connect(edge.url, { hub: 'brief' });
  const pings = (): number => client.received.all.filter(isPing).length;
  let calls = 0;
  while (pings() < 2) expect(await client.call('echo', calls)).toBe(calls++);
  expect(calls).toBeGreaterThan(2);
});
