/** Client protocols reference, section 10: how connections end. */
import { MessageType } from '@trunkline/protocol';
import { FakeAppServer } from '@trunkline/testing';
import { expect, it } from 'vitest';

import { HubClient } from '../edge/support/hub-client.ts';
import { metric, scrape } from '../edge/support/metrics.ts';
import { Opcode } from '../edge/support/raw-socket.ts';
import { entry, sharedApp } from './support/app.ts';
import { officialClient } from './support/official-client.ts';
import { RawHubClient } from './support/raw-hub-client.ts';

const CLOSES = 'trunkline_client_closes_total';
const CLOSE = '{"type":7}\x1e';
const TICK = '{"type":1,"target":"tick","arguments":[]}\x1e';

const { edge } = await sharedApp();

it('trap 6: a close frame is a goodbye, whatever its code; a connection cut off is not', async () => {
  const before = (await scrape(edge)).value(CLOSES, { reason: 'Normal' });
  const payloads = ['', '\x03\xe8', '\x03\xf3going', '\x0f\xa0'].map((text) =>
    Buffer.from(text, 'latin1'),
  );
  for (const payload of payloads) {
    using client = await RawHubClient.connect(edge.url);
    client.send(Opcode.Close, payload);
    const { value } = await entry('disconnected', client.connectionId);
    expect(value).toBeUndefined();
  }
  expect(await metric(edge, CLOSES, { reason: 'Normal' })).toBe(before + payloads.length);
  expect(await metric(edge, CLOSES, { reason: 'ConnectionLost' })).toBe(0);
  const client = await RawHubClient.connect(edge.url);
  client[Symbol.dispose]();
  await entry('disconnected', client.connectionId);
  expect(await metric(edge, CLOSES, { reason: 'ConnectionLost' })).toBe(1);
});

it('trap 7: clients that do not move are told to come back when their server is lost, and not when their hub ends them', async () => {
  const url = `${edge.url}/client/?hub=two`;
  const first = await FakeAppServer.connect(edge.url, { hub: 'two' });
  const client = officialClient(url, {}, (builder) => builder.withAutomaticReconnect([0]));
  const events: string[] = [];
  client.onreconnecting(() => events.push('reconnecting'));
  client.onreconnected(() => events.push('reconnected'));
  client.onclose((error) => events.push(`closed ${String(error)}`));
  await client.start();
  await using raw = await HubClient.connect(edge.url, { hub: 'two' });
  await using second = await FakeAppServer.connect(edge.url, { hub: 'two' });

  await first.cut();
  await expect.poll(() => events).toEqual(['reconnecting', 'reconnected']);
  const { code } = await raw.closed;
  expect(raw.received.all).toEqual([{ type: 7, allowReconnect: true }]);
  expect(code).not.toBe(1006);

  const connectionId = client.connectionId!;
  second.data(connectionId, Buffer.from(CLOSE));
  second.write({
    type: MessageType.CloseConnection,
    connectionId,
    errorMessage: '',
    headers: new Map(),
  });
  await expect.poll(() => events).toEqual(['reconnecting', 'reconnected', 'closed undefined']);
});

it('trap 32: a Close of the hub is the last that its client hears', async () => {
  await using server = await FakeAppServer.connect(edge.url, { hub: 'last' });
  using client = await RawHubClient.connect(edge.url, { hub: 'last' });
  const { connectionId } = client;
  const payloads = new Map([['json', Buffer.from(TICK)]]);
  server.data(connectionId, Buffer.from(TICK + CLOSE + TICK));
  server.data(connectionId, Buffer.from(TICK));
  server.write({ type: MessageType.BroadcastData, payloads, excludedConnectionIds: [] });
  server.write({ type: MessageType.MultiConnectionData, payloads, connectionIds: [connectionId] });
  server.write({
    type: MessageType.CloseConnection,
    connectionId,
    errorMessage: '',
    headers: new Map(),
  });
  await client.socket.frames.first(({ opcode }) => opcode === Opcode.Close, 'the close frame');
  expect((await client.next()).payload.toString()).toBe(TICK + CLOSE);
  expect((await client.next()).opcode).toBe(Opcode.Close);
});
