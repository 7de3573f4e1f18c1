/** Client protocols reference, section 10: what MessagePack leaves open, and peers use. */
import { JsonHubProtocol } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { MessageType } from '@trunkline/protocol';
import { FakeAppServer } from '@trunkline/testing';
import { afterAll, expect, it } from 'vitest';

import { entry, sharedApp } from './support/app.ts';
import { called, officialClient } from './support/official-client.ts';
import { RawHubClient } from './support/raw-hub-client.ts';

const { edge } = await sharedApp();
const server = await FakeAppServer.connect(edge.url, { hub: 'fake' });
afterAll(() => server.close());

const connect = (hub = 'chat'): Promise<RawHubClient> =>
  RawHubClient.connect(edge.url, { hub, protocol: 'messagepack' });

const ECHO = 'a4 65 63 68 6f';
const NOTE = 'a4 6e 6f 74 65';

it('trap 28: every form that peers write a message in is read, and integers are not touched', async () => {
  using client = await connect();
  // No answer is owed where the id is empty, or nil: the first frames answer what comes after.
  client.packed(`95 01 80 a0 ${NOTE} 91 a5 65 6d 70 74 79`);
  client.packed(`96 01 80 c0 ${NOTE} 91 a3 6e 69 6c 90`);
  const calls = [
    ['95 01 80 a1 31', '91 2a'],
    ['96 01 80 a1 32', '91 2a 90'],
    ['97 01 80 a1 33', '91 2a 90 c0'],
    ['95 cc 01 80 a1 34', '91 2a'],
    ['dc 00 05 d2 00 00 00 01 80 d9 01 35', 'dc 00 01 2a'],
    ['95 01 81 a1 61 a1 62 a1 36', '91 d3 00 00 00 00 00 00 00 2a'],
  ];
  for (const [n, [head, tail]] of calls.entries()) {
    client.packed(`${head} ${ECHO} ${tail}`);
    expect(await client.nextHex()).toBe(`07950380a13${n + 1}032a`);
  }
  expect(await entry('noted', client.connectionId)).toMatchObject({ value: 'empty' });

  for (const close of ['92 07 c0', '93 07 c0 c3']) {
    using leaving = await connect();
    leaving.packed(close);
    expect(await entry('disconnected', leaving.connectionId)).toMatchObject({ value: undefined });
  }

  // 2^53 + 1 is more than a number holds: the app server gets it, and gives it back, bit by bit.
  using exact = await connect('fake');
  exact.packed(`95 01 80 a1 31 ${ECHO} 91 d3 00 20 00 00 00 00 00 01`);
  expect(await exact.nextHex()).toBe('0f950380a13103d30020000000000001');
});

it('trap 29: each client gets the form of an object that the app server made for its protocol', async () => {
  const url = `${edge.url}/client/?hub=fake`;
  const protocols = [new JsonHubProtocol(), new MessagePackHubProtocol()];
  const clients = protocols.map((protocol) => officialClient(url, { protocol }));
  await Promise.all(clients.map((client) => client.start()));
  const heard = clients.map((client) => called(client, 'changed'));
  // As ASP.NET writes `new { Kind = Kind.Member, FirstName = "Ann" }`.
  const forms = [
    { kind: 1, firstName: 'Ann' },
    { Kind: 'Member', FirstName: 'Ann' },
  ];
  const payloads = new Map(
    protocols.map((protocol, n) => {
      const bytes = protocol.writeMessage({ type: 1, target: 'changed', arguments: [forms[n]] });
      return [
        protocol.name,
        typeof bytes === 'string' ? Buffer.from(bytes) : new Uint8Array(bytes),
      ];
    }),
  );
  server.write({ type: MessageType.BroadcastData, payloads, excludedConnectionIds: [] });
  expect(await Promise.all(heard)).toEqual(forms);
  await Promise.all(clients.map((client) => client.stop()));
});
