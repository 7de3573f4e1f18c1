import { MessageType } from '@trunkline/protocol';
import type { FakeAppServer } from '@trunkline/testing';

/** What the app server has been given of a client so far, as text, its handshake request first. */
export function payloadsOf(server: FakeAppServer, connectionId: string): string[] {
  return server.received.all.flatMap((message) =>
    message.type === MessageType.ConnectionData && message.connectionId === connectionId
      ? [Buffer.from(message.payload).toString()]
      : [],
  );
}
