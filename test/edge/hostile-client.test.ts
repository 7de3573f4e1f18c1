import { FakeAppServer } from '@trunkline/testing';
import { afterAll, describe, expect, it } from 'vitest';

import { expectAlive } from './support/alive.ts';
import { JSON_HANDSHAKE } from './support/hub-client.ts';
import { metric } from './support/metrics.ts';
import { frame, Opcode, RawSocket } from './support/raw-socket.ts';
import { mutated, seeded } from './support/seeded.ts';
import { sharedEdge } from './support/shared-edge.ts';
import { token, userToken } from './support/tokens.ts';

const HUB = 'hostile';
const LIMIT = 64 * 1024;

const { edge } = await sharedEdge({ args: ['--max-message-bytes', `${LIMIT}`] });
const attacked = await FakeAppServer.connect(edge.url, { hub: HUB, answers: 'handshakes' });
afterAll(() => attacked.close());

async function upgraded(): Promise<RawSocket> {
  const socket = new RawSocket(edge.url);
  const headers = { Authorization: `Bearer ${userToken(HUB, 'mallory')}` };
  const { status } = await socket.upgrade(`/client/?hub=${HUB}`, headers);
  expect(status).toBe('HTTP/1.1 101 Switching Protocols');
  return socket;
}

async function opened(protocol: string): Promise<RawSocket> {
  const socket = await upgraded();
  socket.write(frame(Opcode.Text, JSON_HANDSHAKE.replace('json', protocol)));
  const { payload } = await socket.frames.first(() => true, 'the handshake response');
  expect(payload.toString()).toBe('{}\x1e');
  return socket;
}

const closes = (reason: string): Promise<number> =>
  metric(edge, 'trunkline_client_closes_total', { reason });

/** Writes bytes that end the connection, and gives how many closes the edge has counted for it. */
async function refusals(socket: RawSocket, reason: string, bytes: Uint8Array): Promise<number> {
  const before = await closes(reason);
  socket.write(bytes);
  await socket.ended;
  return (await closes(reason)) - before;
}

const connections = (): Promise<number> =>
  metric(edge, 'trunkline_client_connections', { hub: HUB, transport: 'webSockets' });

describe('a hub handshake that is none', () => {
  it.each([
    ['10,000 bytes without an end', [frame(Opcode.Text, 'x'.repeat(10_000))]],
    [
      '10,000 bytes in small pieces',
      Array.from({ length: 100 }, () => frame(Opcode.Text, 'x'.repeat(100))),
    ],
    ['something else', [frame(Opcode.Text, 'hello\x1e')]],
    ['an empty record', [frame(Opcode.Text, '\x1e')]],
    ['an array', [frame(Opcode.Text, '[]\x1e')]],
    ['a number as protocol', [frame(Opcode.Text, '{"protocol":1,"version":1}\x1e')]],
    ['no version', [frame(Opcode.Text, '{"protocol":"json"}\x1e')]],
    ['a hub message', [frame(Opcode.Text, '{"type":6}\x1e')]],
    ['deep nesting', [frame(Opcode.Text, `${'['.repeat(4000)}\x1e`)]],
    [
      'bytes that are no UTF-8',
      [frame(Opcode.Binary, Buffer.from([0x22, 0xff, 0xfe, 0x22, 0x1e]))],
    ],
  ])('is refused in words: %s', async (_name, frames) => {
    using socket = await upgraded();
    expect(await refusals(socket, 'HandshakeError', Buffer.concat(frames))).toBe(1);
    const [told, close] = socket.frames.all;
    expect(told!.opcode).toBe(Opcode.Text);
    expect(JSON.parse(told!.payload.toString().slice(0, -1))).toEqual({
      error: expect.stringMatching(/./) as string,
    });
    expect(close!.opcode).toBe(Opcode.Close);
    expect(close!.payload.readUInt16BE(0)).toBe(1000);
    await expectAlive(edge);
  });
});

it('is given up when its hub handshake does not come in time', async () => {
  using socket = new RawSocket(edge.url);
  const aud = `http://anywhere/client/?hub=${HUB}`;
  const impatient = token({ payload: { aud, 'asrs.s.cht': '1' } });
  await socket.upgrade(`/client/?hub=${HUB}&access_token=${impatient}`);
  expect(await refusals(socket, 'HandshakeError', frame(Opcode.Text, '{"protocol":'))).toBe(1);
  expect(socket.frames.all[0]!.payload.toString()).toBe('{"error":"Handshake was canceled."}\x1e');
});

/** Frames that RFC 6455 forbids, each in bytes. */
const FORBIDDEN: [string, Uint8Array][] = [
  ['a reserved opcode', frame(3, 'x')],
  ['a reserved control opcode', frame(11, 'x')],
  ['a reserved bit', Uint8Array.of(0xc1, 0x81, 0, 0, 0, 0, 0x41)],
  ['a continuation of nothing', frame(Opcode.Continuation, 'x')],
  [
    'a message inside a message',
    Buffer.concat([frame(Opcode.Text, 'x', false), frame(Opcode.Text, 'y')]),
  ],
  ['a ping in pieces', frame(Opcode.Ping, 'x', false)],
  ['a ping of 200 bytes', frame(Opcode.Ping, 'x'.repeat(200))],
  [
    'a length of 2^63',
    Uint8Array.of(0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0),
  ],
  ['a length of 1 GB', Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0)],
  ['a message over the limit', frame(Opcode.Binary, Buffer.alloc(2 * LIMIT + 1))],
  [
    'a message over the limit in pieces',
    Buffer.concat([
      frame(Opcode.Binary, Buffer.alloc(LIMIT), false),
      ...Array.from({ length: 9 }, () => frame(Opcode.Continuation, Buffer.alloc(LIMIT), false)),
    ]),
  ],
  ['text that is no UTF-8', frame(Opcode.Text, Uint8Array.of(0xc3, 0x28, 0x1e))],
];

describe('a WebSocket frame that is forbidden', () => {
  it.each(FORBIDDEN)('ends a client that has not shaken hands: %s', async (_name, bytes) => {
    using socket = await upgraded();
    expect(await refusals(socket, 'BadRequest', bytes)).toBe(1);
    await expectAlive(edge);
  });

  it.each(FORBIDDEN)('ends a client: %s', async (_name, bytes) => {
    using socket = await opened('json');
    expect(await refusals(socket, 'BadRequest', bytes)).toBe(1);
    await expectAlive(edge);
  });

  it('may be without a mask, or only half there: the edge lives', async () => {
    for (const bytes of [
      [0x81, 5, ...Buffer.from('hello')],
      [0x82, 0xff, 0],
      [0x81],
      [0x88, 0x82, 0],
    ]) {
      using socket = await opened('json');
      socket.write(Uint8Array.from(bytes));
      // Cut off with the frame unfinished.
    }
    await expect.poll(connections).toBe(0);
    await expectAlive(edge);
  });

  it.each([
    ['with no code', ''],
    ['with half a code', '\x03'],
    ['with a code that is none', Uint8Array.of(0, 1)],
    ['with words that are no UTF-8', Uint8Array.of(3, 0xe8, 0xff)],
  ])('may be a close %s: the connection ends', async (_name, payload) => {
    using socket = await opened('json');
    socket.write(frame(Opcode.Close, payload));
    await socket.ended;
    await expect.poll(connections).toBe(0);
    await expectAlive(edge);
  });
});

describe('a hub message that is none', () => {
  const text = (payload: string): Uint8Array => frame(Opcode.Text, payload);
  const binary = (...bytes: number[]): Uint8Array => frame(Opcode.Binary, Uint8Array.from(bytes));

  /** Hub Close messages that say what happened and let automatic reconnection go on. */
  const CLOSES: Readonly<Record<string, string>> = {
    json: '{"type":7,"error":"Connection closed with an error.","allowReconnect":true}\x1e',
    messagepack: '%\x93\x07\xd9 Connection closed with an error.\xc3',
  };

  it.each([
    ['over the limit', 'json', text(`${'x'.repeat(LIMIT)}\x1e`)],
    ['over the limit, without an end', 'json', text('x'.repeat(LIMIT + 1))],
    [
      'over the limit, in two messages',
      'json',
      Buffer.concat([text('x'.repeat(LIMIT - 1)), text('xx')]),
    ],
    ['announced at 2 GB', 'messagepack', binary(0xff, 0xff, 0xff, 0xff, 0x07)],
    ['announced over the limit', 'messagepack', binary(0x80, 0x80, 0x80, 0x01)],
    ['announced in six bytes', 'messagepack', binary(0xff, 0xff, 0xff, 0xff, 0xff, 0x00)],
    ['announced over 2 GB', 'messagepack', binary(0xff, 0xff, 0xff, 0xff, 0x0f)],
  ])('%s ends a client in words, which may come back', async (_name, protocol, bytes) => {
    using socket = await opened(protocol);
    expect(await refusals(socket, 'BadRequest', bytes)).toBe(1);
    const [, told, close] = socket.frames.all;
    expect(told).toEqual({
      opcode: protocol === 'json' ? Opcode.Text : Opcode.Binary,
      payload: Buffer.from(CLOSES[protocol]!, 'latin1'),
    });
    expect(close!.opcode).toBe(Opcode.Close);
    expect(close!.payload.readUInt16BE(0)).toBe(1007);
    await expectAlive(edge);
  });

  it.each(['json', 'messagepack'])('of any kind of %s is survived', async (protocol) => {
    const call =
      protocol === 'json'
        ? Buffer.from('{"type":1,"target":"t","invocationId":"7","arguments":[{"a":"\\"}"}]}\x1e')
        : Buffer.from([
            0x0d, 0x96, 0x01, 0x80, 0xa1, 0x37, 0xa1, 0x74, 0x92, 0xa1, 0x61, 0xc3, 0x90, 0x90,
          ]);
    const random = seeded(protocol.length);
    for (let round = 0; round < 40; round++) {
      using socket = await opened(protocol);
      for (let i = 0; i < 20; i++) socket.write(frame(Opcode.Binary, mutated(call, random)));
      socket.write(frame(Opcode.Close, Uint8Array.of(3, 0xe8)));
      await socket.ended;
    }
    await expect.poll(connections).toBe(0);
    await expectAlive(edge);
  });
});
