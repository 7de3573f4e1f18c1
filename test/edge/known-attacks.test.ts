import { MessageType } from '@trunkline/protocol';
import { describe, expect, it } from 'vitest';

import { JSON_HANDSHAKE } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';
import { frame, Opcode, RawSocket } from './support/raw-socket.ts';
import { sharedEdge } from './support/shared-edge.ts';
import { userToken } from './support/tokens.ts';

/**
 * The kinds of attack that have brought servers of ASP.NET Core SignalR down: the edge stands before
 * an app server and lets none through.
 */
const HUB = 'attacked';
const PIECE = frame(Opcode.Binary, Buffer.alloc(64 * 1024), false);

const { edge, server } = await sharedEdge({}, { hub: HUB, answers: 'handshakes' });

const bearer = { Authorization: `Bearer ${userToken(HUB, 'mallory')}` };
const memory = () => metric(edge, 'process_resident_memory_bytes');

/** Messages of a type that the app server has got. */
const seen = (type: number) =>
  server.received.all.filter((message) => message.type === type).length;

async function upgraded(id = ''): Promise<RawSocket> {
  const socket = new RawSocket(edge.url);
  const { status } = await socket.upgrade(`/client/?hub=${HUB}${id}`, bearer);
  expect(status).toBe('HTTP/1.1 101 Switching Protocols');
  return socket;
}

describe('bytes of somebody unknown, without end', () => {
  it('are not read without a token', async () => {
    const [before, opened] = [await memory(), seen(MessageType.OpenConnection)];
    for (let i = 0; i < 20; i++) {
      using socket = new RawSocket(edge.url);
      const { status } = await socket.upgrade(`/client/?hub=${HUB}`);
      expect(status).toContain('401');
      for (let piece = 0; piece < 100; piece++) socket.write(PIECE);
      await socket.ended;
    }
    expect(seen(MessageType.OpenConnection)).toBe(opened);
    expect((await memory()) - before).toBeLessThan(64 * 1024 * 1024);
  });

  it('are not kept before the hub handshake', async () => {
    const [before, data] = [await memory(), seen(MessageType.ConnectionData)];
    for (let i = 0; i < 20; i++) {
      using socket = await upgraded();
      for (let piece = 0; piece < 200; piece++) socket.write(PIECE);
      await socket.ended;
    }
    expect(seen(MessageType.ConnectionData)).toBe(data);
    expect((await memory()) - before).toBeLessThan(64 * 1024 * 1024);
  });
});

/** An invocation in MessagePack whose only argument is an array in an array in an array. */
function nested(levels: number): Buffer {
  // The message itself and its list of arguments are two levels.
  const argument = Buffer.alloc(levels - 2, 0x91);
  argument[levels - 3] = 0x90;
  const head = Buffer.from([0x96, 1, 0x80, 0xc0, 0xa1, 0x78, 0x91]);
  const message = Buffer.concat([head, argument, Buffer.of(0x90)]);
  const prefix: number[] = [];
  for (let rest = message.length; ; rest >>>= 7) {
    prefix.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from(prefix), message]);
}

describe('arrays in arrays, in MessagePack', () => {
  async function opened(): Promise<RawSocket> {
    const socket = await upgraded();
    socket.write(frame(Opcode.Text, JSON_HANDSHAKE.replace('json', 'messagepack')));
    await socket.frames.first(() => true, 'the handshake response');
    return socket;
  }

  it.each([102, 500, 10_000, 1_000_000])(
    'end the connection when they are %d deep, unseen by the app server',
    async (levels) => {
      using socket = await opened();
      const data = seen(MessageType.ConnectionData);
      socket.write(frame(Opcode.Binary, nested(levels)));
      await socket.ended;
      expect(seen(MessageType.ConnectionData)).toBe(data);
    },
  );

  it('arrive when they are 100 deep', async () => {
    using socket = await opened();
    const data = seen(MessageType.ConnectionData);
    socket.write(frame(Opcode.Binary, nested(100)));
    await expect.poll(() => seen(MessageType.ConnectionData)).toBe(data + 1);
  });
});

it('a connection is not resumed, however often it is tried', async () => {
  const url = `${edge.url}/client/negotiate?hub=${HUB}&negotiateVersion=1&useStatefulReconnect=true`;
  const answer = (await (await fetch(url, { method: 'POST', headers: bearer })).json()) as {
    connectionToken: string;
    useStatefulReconnect?: boolean;
  };
  expect(answer.useStatefulReconnect ?? false).toBe(false);
  const id = `&id=${answer.connectionToken}&useStatefulReconnect=true`;
  using socket = await upgraded(id);
  socket.write(frame(Opcode.Text, JSON_HANDSHAKE));
  await socket.frames.first(() => true, 'the handshake response');
  const opened = seen(MessageType.OpenConnection);
  for (let i = 0; i < 50; i++) {
    using again = new RawSocket(edge.url);
    expect((await again.upgrade(`/client/?hub=${HUB}${id}`, bearer)).status).not.toContain('101');
  }
  expect(seen(MessageType.OpenConnection)).toBe(opened);
});
