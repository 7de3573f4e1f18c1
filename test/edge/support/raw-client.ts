import type { StartedEdge } from '@trunkline/testing';

import { JSON_HANDSHAKE } from './hub-client.ts';
import { negotiate } from './negotiate.ts';
import { frame, Opcode, RawSocket } from './raw-socket.ts';

/** A client of the JSON hub protocol on a bare socket, its handshake done, and its connection id. */
export async function rawClient(
  edge: StartedEdge,
  hub = 'chat',
): Promise<{ socket: RawSocket; connectionId: string }> {
  const { connectionId, connectionToken, accessToken } = await negotiate(edge.url, {
    hub,
    userId: 'raw',
  });
  const socket = new RawSocket(edge.url);
  const path = `/client/?hub=${hub}&id=${connectionToken}`;
  await socket.upgrade(path, { Authorization: `Bearer ${accessToken}` });
  socket.write(frame(Opcode.Text, JSON_HANDSHAKE));
  await socket.frames.first(() => true, 'the handshake response');
  return { socket, connectionId };
}
