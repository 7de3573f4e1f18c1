/**
 * Client protocols reference, section 10: stateful reconnection, which there is not. What has to
 * hold then is that it is never offered, and that nothing of it reaches anybody.
 */
import { HubConnectionState } from '@microsoft/signalr';
import { TcpProxy } from '@trunkline/testing';
import { expect, it } from 'vitest';

import { HubClient } from '../edge/support/hub-client.ts';
import { negotiate } from '../edge/support/negotiate.ts';
import { RawSocket } from '../edge/support/raw-socket.ts';
import { sharedEdge } from '../edge/support/shared-edge.ts';
import { userToken } from '../edge/support/tokens.ts';
import { officialClient } from './support/official-client.ts';
import { payloadsOf } from './support/payloads.ts';
import { RawHubClient } from './support/raw-hub-client.ts';

const ACK = '{"type":8,"sequenceId":1}';
const SEQUENCE = '{"type":9,"sequenceId":1}';

const { edge, server } = await sharedEdge();

it('trap 10: stateful reconnection is not offered, not even to who asks; no client hears of it', async () => {
  const query = 'hub=chat&negotiateVersion=1&useStatefulReconnect=true';
  const answer = await fetch(`${edge.url}/client/negotiate?${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${userToken('chat', 'ann')}` },
  });
  expect(Object.keys((await answer.json()) as object)).not.toContain('useStatefulReconnect');

  const asking = officialClient(`${edge.url}/client/?hub=chat`, {}, (builder) =>
    builder.withStatefulReconnect(),
  );
  await asking.start();
  expect(await asking.invoke('echo', 1)).toBe(1);
  await asking.stop();

  await using client = await HubClient.connect(edge.url);
  server.data(client.connectionId, Buffer.from(`${ACK}\x1e${SEQUENCE}\x1e{"type":6}\x1e`));
  expect(await client.call('echo', 2)).toBe(2);
  expect(client.received.all.map(({ type }) => type)).toEqual([6, 3]);
});

it('trap 11: acks and sequences of a client reach no hub, and end nothing', async () => {
  using client = await RawHubClient.open(edge.url);
  client.text('{"protocol":"json","version":2}');
  expect(await client.nextTexts()).toEqual(['{}']);
  const call = '{"type":1,"invocationId":"0","target":"echo","arguments":[1]}';
  client.text(SEQUENCE, ACK, call, SEQUENCE);
  expect(await client.nextTexts()).toEqual(['{"type":3,"invocationId":"0","result":1}']);
  expect(payloadsOf(server, client.connectionId)).toEqual([
    '{"protocol":"json","version":2}\x1e',
    `${call}\x1e`,
  ]);
});

it('trap 12: a lost connection is not resumed: the client comes back as a new one', async () => {
  await using proxy = await TcpProxy.start(edge.url);
  const client = officialClient(`${proxy.url}/client/?hub=chat`, {}, (builder) =>
    builder.withStatefulReconnect().withAutomaticReconnect([0, 0, 0]),
  );
  const reconnected = new Promise((resolve) => {
    client.onreconnected(resolve);
  });
  await client.start();
  const before = client.connectionId;
  proxy.cut();
  expect(await reconnected).not.toBe(before);
  expect(client.state).toBe(HubConnectionState.Connected);
  expect(await client.invoke('echo', 3)).toBe(3);
  await client.stop();

  const { connectionToken, accessToken } = await negotiate(edge.url);
  const headers = { Authorization: `Bearer ${accessToken}` };
  const path = `/client/?hub=chat&id=${connectionToken}`;
  using first = new RawSocket(edge.url);
  expect((await first.upgrade(path, headers)).status).toBe('HTTP/1.1 101 Switching Protocols');
  using second = new RawSocket(edge.url);
  expect((await second.upgrade(path, headers)).status).toBe('HTTP/1.1 409 Conflict');
});
