import { describe, expect, it, vi } from 'vitest';

import { HttpConnection } from './support/http-connection.ts';
import { JSON_HANDSHAKE } from './support/hub-client.ts';
import type { RawAnswer } from './support/raw-http.ts';
import { answersIn, chunkedRequestBytes, requestBytes, writePieces } from './support/raw-http.ts';
import type { Frame } from './support/raw-socket.ts';
import { frame, Opcode, RawSocket, UPGRADE } from './support/raw-socket.ts';
import { seeded } from './support/seeded.ts';
import { sharedEdge } from './support/shared-edge.ts';

/**
 * The whole life of a client, what it sends cut wherever a network may cut it: but for
 * the few places in a request line where this version of uWebSockets.js does not wait for the rest.
 */

const { edge } = await sharedEdge();

const CALL = '{"type":1,"target":"echo","arguments":["é"],"invocationId":"1"}\x1e';
const COMPLETION = Buffer.from('{"type":3,"invocationId":"1","result":"é"}\x1e').toString('latin1');

/** Where to cut a request of so many bytes, in ascending order. */
type Cuts = (length: number) => Iterable<number>;

const everywhere: Cuts = (length) => Array.from({ length }, (_, at) => at);
const random =
  (seed: number): Cuts =>
  (length) => {
    const next = seeded(seed);
    return Array.from({ length: 5 }, () => Math.floor(next() * length)).sort((a, b) => a - b);
  };

const VERSION = ' HTTP/1.1\r\n';

/** Whether uWebSockets.js waits for the rest of a request that is cut there. */
function mayBeCut(bytes: Buffer, place: number): boolean {
  const afterMethod = bytes.indexOf(' ') + 1;
  const version = bytes.indexOf(VERSION);
  return place !== afterMethod && (place <= version || place >= version + VERSION.length);
}

const write = (socket: RawSocket, bytes: Buffer, cuts: Cuts): Promise<void> =>
  writePieces(
    socket,
    bytes,
    [...cuts(bytes.length)].filter((place) => mayBeCut(bytes, place)),
  );

async function come(ready: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(ready()).toBe(true), { timeout: 5_000, interval: 1 });
}

/** All of it over one TCP connection; resolves to the answers. */
async function pollingLife(cuts: Cuts): Promise<unknown> {
  const connection = await HttpConnection.negotiate(edge.url);
  using socket = new RawSocket(edge.url);
  const life = [
    requestBytes(connection, 'GET'),
    requestBytes(connection, 'POST', { body: JSON_HANDSHAKE }),
    requestBytes(connection, 'GET'),
    chunkedRequestBytes(connection, 'POST', CALL, [1, 20, 3]),
    requestBytes(connection, 'GET'),
    requestBytes(connection, 'DELETE'),
  ];
  for (const [n, bytes] of life.entries()) {
    await write(socket, bytes, cuts);
    await come(() => answersIn(socket.text).length > n);
  }
  return answersIn(socket.text);
}

const POLLED: readonly RawAnswer[] = [
  { status: 200, body: '' },
  { status: 200, body: '' },
  { status: 200, body: '{}\x1e' },
  { status: 200, body: '' },
  { status: 200, body: COMPLETION },
  { status: 202, body: '' },
];

/** Resolves to the answers to its posts, when the stream has brought the rest. */
async function streamingLife(cuts: Cuts): Promise<unknown> {
  const connection = await HttpConnection.negotiate(edge.url);
  using stream = new RawSocket(edge.url);
  using posts = new RawSocket(edge.url);
  const get = requestBytes(connection, 'GET', { headers: { Accept: 'text/event-stream' } });
  await write(stream, get, cuts);
  await come(() => stream.text.endsWith(':\r\n'));
  const life = [
    [requestBytes(connection, 'POST', { body: JSON_HANDSHAKE }), '{}\x1e'],
    [chunkedRequestBytes(connection, 'POST', CALL, [2, 7]), COMPLETION],
  ] as const;
  for (const [n, [bytes, event]] of life.entries()) {
    await write(posts, bytes, cuts);
    await come(() => stream.text.includes(`data: ${event}\r\n\r\n`));
    await come(() => answersIn(posts.text).length > n);
  }
  return answersIn(posts.text);
}

const STREAMED: readonly RawAnswer[] = [
  { status: 200, body: '' },
  { status: 200, body: '' },
];

/** Resolves to the frames that come. Its call is in two frames, with a ping between them. */
async function socketLife(cuts: Cuts): Promise<unknown> {
  const connection = await HttpConnection.negotiate(edge.url);
  using socket = new RawSocket(edge.url);
  await write(socket, requestBytes(connection, 'GET', { headers: UPGRADE }), cuts);
  await socket.upgraded();
  const call = Buffer.from(CALL);
  const twoFrames = [
    frame(Opcode.Text, call.subarray(0, 20), false),
    frame(Opcode.Ping, 'are you there'),
    frame(Opcode.Continuation, call.subarray(20)),
  ];
  const life = [
    [frame(Opcode.Text, JSON_HANDSHAKE), 1],
    [Buffer.concat(twoFrames), 3],
    [frame(Opcode.Close, GOODBYE), 4],
  ] as const;
  for (const [bytes, frames] of life) {
    await writePieces(socket, bytes, cuts(bytes.length));
    await come(() => socket.frames.all.length >= frames);
  }
  return socket.frames.all;
}

const GOODBYE = Buffer.of(0x03, 0xe8);
const FRAMED: readonly Frame[] = [
  { opcode: Opcode.Text, payload: Buffer.from('{}\x1e') },
  { opcode: Opcode.Pong, payload: Buffer.from('are you there') },
  { opcode: Opcode.Text, payload: Buffer.from(COMPLETION, 'latin1') },
  { opcode: Opcode.Close, payload: GOODBYE },
];

describe.each<[string, (cuts: Cuts) => Promise<unknown>, unknown]>([
  ['polls', pollingLife, POLLED],
  ['reads a stream', streamingLife, STREAMED],
  ['has a WebSocket', socketLife, FRAMED],
])('a client that %s', (_name, live, expected) => {
  it('byte by byte', async () => {
    expect(await live(everywhere)).toEqual(expected);
  });

  it('with everything that it sends cut at every byte', async () => {
    let longest = 1;
    const at =
      (place: number): Cuts =>
      (length) => {
        longest = Math.max(longest, length);
        return [place];
      };
    for (let place = 0; place < longest; place += 10) {
      const lives = await Promise.all(Array.from({ length: 10 }, (_, n) => live(at(place + n))));
      expect(lives).toEqual(lives.map(() => expected));
    }
    expect(longest).toBeGreaterThan(300);
  });

  it('in random pieces', async () => {
    const lives = await Promise.all(Array.from({ length: 20 }, (_, seed) => live(random(seed))));
    expect(lives).toEqual(lives.map(() => expected));
  });
});

it('a request line cut in its HTTP version is answered 505, and nothing else is harmed', async () => {
  const bytes = Buffer.from('GET /api/health HTTP/1.1\r\nHost: edge\r\n\r\n');
  for (const place of bytes.keys()) {
    using socket = new RawSocket(edge.url);
    socket.write(bytes.subarray(0, place));
    // A request on another connection makes sure that the edge has seen the first piece.
    expect((await fetch(`${edge.url}/api/health`)).status).toBe(200);
    socket.write(bytes.subarray(place));
    const { status } = await socket.answer();
    const whole = place === 0 || mayBeCut(bytes, place);
    // The network may have put both pieces together again.
    expect([place, status]).toEqual([
      place,
      expect.stringMatching(whole ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 (?:200|505) /),
    ]);
  }
});
