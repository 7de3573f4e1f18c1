import {
  type InvocationMessage,
  JsonHubProtocol,
  MessageType as HubMessageType,
} from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';

import { ConnectionType, encodeServiceMessage, MessageType } from '@trunkline/protocol';
import { FakeAppServer } from '@trunkline/testing';

import type { Sending } from './sending.ts';
import type { Stoppable } from './side.ts';

/** Longest WebSocket message that it sends. */
const PIECE_BYTES = 64 * 1024;
const CALL: InvocationMessage = {
  type: HubMessageType.Invocation,
  target: 'tick',
  arguments: ['thirty-two bytes of chat message'],
};

/** An app server of hub `bench` that only sends, and whose messages are written before they are sent. */
export interface PreparedApp extends Stoppable {
  /** Hands the edge so many messages to all, whoever they are to be sent to, as fast as it reads them. */
  send(sending: Sending): Promise<void>;
}

/** It costs next to nothing, so that edges are what is measured, with all the work that there can be. */
export async function startPreparedApp(edgeUrl: string): Promise<PreparedApp> {
  const app = await FakeAppServer.connect(edgeUrl, {
    hub: 'bench',
    connectionType: ConnectionType.Weak,
  });
  const message = encodeServiceMessage({
    type: MessageType.BroadcastData,
    excludedConnectionIds: [],
    payloads: new Map([
      ['json', Buffer.from(new JsonHubProtocol().writeMessage(CALL))],
      ['messagepack', new Uint8Array(new MessagePackHubProtocol().writeMessage(CALL))],
    ]),
  });
  const most = Math.floor(PIECE_BYTES / message.length);
  const piece = Buffer.concat(Array.from({ length: most }, () => message));
  return {
    async send({ times }) {
      for (let left = times; left > 0; left -= most) {
        app.writeRaw(piece.subarray(0, Math.min(left, most) * message.length));
      }
    },
    stop: () => app.close(),
  };
}
