import type { StartedEdge } from '@trunkline/testing';

import { JSON_HANDSHAKE } from './hub-client.ts';
import { frame, Opcode, RawSocket } from './raw-socket.ts';
import { userToken } from './tokens.ts';

/** A client of the JSON hub protocol on a bare socket, its handshake done, and its connection id. */
export async function rawClient(
  edge: StartedEdge,
  hub = 'chat',
): Promise<{ socket: RawSocket; connectionId: string }> {
  const authorization = `Bearer ${userToken(hub, 'raw')}`;
  const url = `${edge.url}/client/negotiate?hub=${hub}&negotiateVersion=1`;
  const response = await fetch(url, { method: 'POST', headers: { authorization } });
  const answer = (await response.json()) as { connectionId: string; connectionToken: string };
  const socket = new RawSocket(edge.url);
  const path = `/client/?hub=${hub}&id=${answer.connectionToken}`;
  await socket.upgrade(path, { Authorization: authorization });
  socket.write(frame(Opcode.Text, JSON_HANDSHAKE));
  await socket.frames.first(() => true, 'the handshake response');
  return { socket, connectionId: answer.connectionId };
}
