import type { FakeAppServer, StartedEdge } from '@trunkline/testing';

import { JSON_HANDSHAKE } from './hub-client.ts';
import { metric } from './metrics.ts';
import { frame, Opcode, RawSocket } from './raw-socket.ts';
import { userToken } from './tokens.ts';

/** Peers that begin a message and never end it, so that the edge has to keep what has come. */

export const MIB = 1024 * 1024;
/** What each of the clients sends of its message. */
export const HALF_HUB_MESSAGE_BYTES = 3 * MIB;
/** The length of a service message of 100 MiB, as it stands before one. */
const LENGTH_OF_100_MIB = Uint8Array.of(0x80, 0x80, 0x80, 0x32);

/** Clients that have shaken hands and say nothing. */
export function quietClients(
  { url }: StartedEdge,
  hub: string,
  count: number,
): Promise<RawSocket[]> {
  const connect = async (): Promise<RawSocket> => {
    const socket = new RawSocket(url);
    await socket.upgrade(`/client/?hub=${hub}&access_token=${userToken(hub, 'mallory')}`);
    socket.write(frame(Opcode.Text, JSON_HANDSHAKE));
    await socket.frames.first(() => true, 'the handshake response');
    return socket;
  };
  return Promise.all(Array.from({ length: count }, connect));
}

/** Has each client begin a hub message. */
export function beginHubMessages(clients: readonly RawSocket[]): void {
  const half = frame(Opcode.Text, 'x'.repeat(HALF_HUB_MESSAGE_BYTES));
  for (const client of clients) client.write(half);
}

/** Has each app server announce a service message of 100 MiB, and send so many of them. */
export function beginServiceMessages(servers: readonly FakeAppServer[], mebibytes: number): void {
  for (const server of servers) {
    server.writeRaw(LENGTH_OF_100_MIB);
    for (let n = 0; n < mebibytes; n++) server.writeRaw(Buffer.alloc(MIB));
  }
}

/** How much of messages the edge has taken from peers: `direction` as the metric names it. */
export function bytesTaken(
  edge: StartedEdge,
  direction: 'from_client' | 'from_server',
): Promise<number> {
  return metric(edge, 'trunkline_message_bytes_total', { direction });
}
