/**
 * WebSocket messages that have begun and do not go on, and peers that say nothing at all. These tests
 * wait for real times, all at once.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pass } from 'node:timers/promises';

import { ConnectionType, encodeServiceMessage, MessageType } from '@trunkline/protocol';
import { MigrationLevel, PROTOCOL_VERSION } from '@trunkline/protocol';
import { FakeAppServer } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, mintServerToken } from '@trunkline/tokens';
import { describe, expect, it } from 'vitest';

import { metric } from './support/metrics.ts';
import { rawClient } from './support/raw-client.ts';
import { frame, Opcode, RawSocket } from './support/raw-socket.ts';
import { sharedEdge } from './support/shared-edge.ts';

const MIB = 1024 * 1024;
/** Well past the 30 s after its last byte in which whoever stalls in a message is cut. */
const LONG_MS = 40_000;
const TEST_MS = 120_000;
const HUB_PING = '{"type":6}\x1e';

const { edge } = await sharedEdge();

/** A client of a hub that no other test has. */
async function client(hub: string): Promise<RawSocket> {
  await FakeAppServer.connect(edge.url, { hub });
  return (await rawClient(edge, hub)).socket;
}

async function server(hub: string): Promise<RawSocket> {
  const socket = new RawSocket(edge.url);
  const token = mintServerToken({
    audienceBase: `${edge.url}/`,
    hub,
    serverId: 'stalls',
    key: DEVELOPMENT_ACCESS_KEY,
  });
  const path = `/server/?hub=${hub}&cid=${randomUUID()}`;
  await socket.upgrade(path, { Authorization: `Bearer ${token}` });
  const handshake = encodeServiceMessage({
    type: MessageType.HandshakeRequest,
    version: PROTOCOL_VERSION,
    connectionType: ConnectionType.Default,
    target: '',
    migrationLevel: MigrationLevel.Off,
  });
  socket.write(frame(Opcode.Binary, handshake));
  await socket.frames.first(() => true, 'the handshake response');
  return socket;
}

/** Half of a message of 8 MiB. */
function sayHalf(socket: RawSocket, opcode: number): void {
  socket.write(frame(opcode, Buffer.alloc(8 * MIB, 'x')).subarray(0, 4 * MIB));
}

const clients = (hub: string): Promise<number> =>
  metric(edge, 'trunkline_client_connections', { hub, transport: 'webSockets' });
const servers = (hub: string): Promise<number> =>
  metric(edge, 'trunkline_server_connections', { hub });

/** Whether a connection ends in that time. */
async function isCut({ ended }: RawSocket): Promise<boolean> {
  return Promise.race([ended.then(() => true), pass(LONG_MS, false)]);
}

/** The payloads of the WebSocket pings that have come. */
const pings = ({ frames }: RawSocket): string[] =>
  frames.all
    .filter(({ opcode }) => opcode === Opcode.Ping)
    .map(({ payload }) => payload.toString('hex'));

describe.concurrent('on a WebSocket', { timeout: TEST_MS }, () => {
  it('a client that stalls in a message is cut', async () => {
    using socket = await client('stalls');
    sayHalf(socket, Opcode.Text);
    expect(await isCut(socket)).toBe(true);
    expect(await clients('stalls')).toBe(0);
    const lost = await metric(edge, 'trunkline_client_closes_total', { reason: 'ConnectionLost' });
    expect(lost).toBeGreaterThanOrEqual(1);
  });

  it('a client that goes on with its message, a byte at a time, stays', async () => {
    using socket = await client('trickles');
    sayHalf(socket, Opcode.Text);
    for (let ms = 0; ms < LONG_MS; ms += 10_000) {
      await pass(10_000);
      socket.write('x');
    }
    expect(await clients('trickles')).toBe(1);
  });

  it('a client that has nothing to say stays as long as it answers pings, which have no payload', async () => {
    using socket = await client('listens');
    for (let ms = 0; ms < LONG_MS; ms += 1_000) {
      const before = pings(socket).length;
      await pass(1_000);
      for (const _ping of pings(socket).slice(before)) socket.write(frame(Opcode.Pong, ''));
    }
    expect(await clients('listens')).toBe(1);
    expect(new Set(pings(socket))).toEqual(new Set(['']));
  });

  it('a client that has vanished is cut', async () => {
    using socket = await client('vanishes');
    expect(await isCut(socket)).toBe(true);
    expect(await clients('vanishes')).toBe(0);
  });

  it('a client that pings its hub gets no other pings, and has to answer none', async () => {
    using socket = await client('pings');
    for (let ms = 0; ms < LONG_MS; ms += 15_000) {
      socket.write(frame(Opcode.Text, HUB_PING));
      await pass(15_000);
    }
    expect(await clients('pings')).toBe(1);
    expect(pings(socket)).toEqual([]);
  });

  it('a server connection that stalls in a message is cut', async () => {
    using socket = await server('halfserved');
    sayHalf(socket, Opcode.Binary);
    expect(await isCut(socket)).toBe(true);
    expect(await servers('halfserved')).toBe(0);
  });
});
