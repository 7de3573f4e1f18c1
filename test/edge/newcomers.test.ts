import { HANDSHAKE_SUCCESS, MessageType } from '@trunkline/protocol';
import type { OpenConnection } from '@trunkline/protocol';
import { FakeAppServer } from '@trunkline/testing';
import { afterAll, expect, it } from 'vitest';

import { CLIENTS, TRANSPORT_LABELS } from './support/request-clients.ts';
import { sharedEdge } from './support/shared-edge.ts';

const { edge, server } = await sharedEdge({}, { answers: 'nothing' });
/** Another connection of the app, on which it sends to many: it knows nothing of handshakes. */
const sender = await FakeAppServer.connect(edge.url, { connectionType: 2 });
afterAll(() => sender.close());

const known = new Set<string>();
let acks = 0;

/** Everything that an app may send about a newcomer before the newcomer's handshake is answered. */
async function announce(id: string): Promise<void> {
  const ackId = ++acks;
  const hello = (n: number) => ({
    payloads: new Map([
      ['json', Buffer.from(`{"type":1,"target":"hello","arguments":[${n}]}\x1e`)],
    ]),
  });
  sender.write({ type: MessageType.JoinGroup, connectionId: id, group: id });
  sender.write({ type: MessageType.BroadcastData, excludedConnectionIds: [], ...hello(1) });
  sender.write({ type: MessageType.MultiGroupBroadcastData, groups: [id], ...hello(2) });
  sender.write({ type: MessageType.UserData, userId: 'ann', ...hello(3) });
  sender.write({ type: MessageType.MultiConnectionData, connectionIds: [id], ...hello(4) });
  sender.write({ type: MessageType.CheckConnectionExistenceWithAck, connectionId: id, ackId });
  await sender.received.first(
    (message) => message.type === MessageType.Ack && message.ackId === ackId,
    'the ack behind all that',
  );
}

it.each(TRANSPORT_LABELS)(
  'what is sent before the handshake response reaches every newcomer by %s behind it, in order',
  async (transport) => {
    for (let newcomer = 1; newcomer <= 40; newcomer++) {
      const connecting = CLIENTS[transport].connect(edge.url, { userId: 'ann' });
      const { connectionId } = await server.received.first(
        (message): message is OpenConnection =>
          message.type === MessageType.OpenConnection && !known.has(message.connectionId),
        'the newcomer',
      );
      known.add(connectionId);
      await announce(connectionId);
      server.data(connectionId, HANDSHAKE_SUCCESS);
      const client = await connecting;
      await client.received.first(({ arguments: [n] = [] }) => n === 4, 'the last hello');
      const heard = client.received.all.map(({ arguments: [n] = [] }) => n);
      expect([newcomer, ...heard]).toEqual([newcomer, 1, 2, 3, 4]);
      await client.close();
    }
  },
);
