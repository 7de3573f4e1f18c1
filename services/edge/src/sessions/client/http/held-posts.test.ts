import { beforeEach, describe, expect, test } from 'vitest';
import { SendResult } from '../../../ports/socket.ts';
import { FakeExchange } from '../../fake-exchange.test-support.ts';
import type { FakeServer } from '../../fixtures.test-support.ts';
import { JSON_HANDSHAKE } from '../../fixtures.test-support.ts';
import type { Guest } from './door.test-support.ts';
import { TestHttpEdge } from './door.test-support.ts';
import { HeldPosts } from './held-posts.ts';
import type { HttpClient } from './http-client.ts';

const MB = 1024 * 1024;
const message = (text: string | number): string => `{"type":1,"target":"${text}","arguments":[]}␞`;

let edge: TestHttpEdge;
let server: FakeServer;
let guest: Guest;

beforeEach(async () => {
  edge = new TestHttpEdge({ hubMessageBytes: 4 * MB, migration: 'always' });
  server = await edge.server();
  guest = await opened();
  await fill();
});

/** A guest with an event stream whose handshake is done. */
async function opened(): Promise<Guest> {
  const one = edge.guest();
  edge.stream(one);
  edge.post(one, JSON_HANDSHAKE);
  server.data(one, '{}␞');
  await server.messages();
  return one;
}

/** The app server does not read: the next bytes for it fill its queue. */
async function fill(): Promise<void> {
  const { socket } = server;
  socket.answer = SendResult.Queued;
  socket.buffered = MB + 1;
  edge.post(guest, message('filler'));
  await server.messages();
}

/** The calls that have reached the server, by their targets. */
const heard = async (): Promise<unknown[]> =>
  (await server.heard())
    .filter(([type]) => type === 'data')
    .flatMap(([, , text]) =>
      [...String(text).matchAll(/"target":"(.*?)"/g)].map(([, name]) => name),
    );

describe('posts for a full server connection', () => {
  test('wait until it has room, and keep their order', async () => {
    const posts = [1, 2, 3].map((n) => edge.post(guest, message(n)));
    expect(posts.map((post) => post.status)).toEqual([undefined, undefined, undefined]);
    expect(await heard()).toEqual([]);
    server.socket.drain();
    expect(posts.map((post) => post.status)).toEqual([200, 200, 200]);
    expect(await heard()).toEqual(['1', '2', '3']);
    expect(edge.post(guest, message(4)).status).toBe(200);
    expect(await heard()).toEqual(['4']);
  });

  test('wait behind those that wait already, and do not count against an allowance', async () => {
    const large = 'x'.repeat(MB);
    const posts = [edge.post(guest, message(large)), edge.post(guest, message(large))];
    // The first fills it again as soon as it has drained.
    const { socket } = server;
    const { send } = socket;
    socket.send = (...args) => {
      const result = send.apply(socket, args);
      if (args[0].length < MB) return result;
      socket.buffered = 2 * MB;
      return (socket.answer = SendResult.Queued);
    };
    socket.drain();
    posts.push(edge.post(guest, message('last')));
    expect(posts.map((post) => post.status)).toEqual([200, undefined, undefined]);
    socket.drain();
    socket.drain();
    expect(posts.map((post) => post.status)).toEqual([200, 200, 200]);
    expect((await heard()).at(-1)).toBe('last');
    expect(edge.closes).toEqual({});
  });

  test('are not overtaken once the client has moved to where there is room', async () => {
    const free = await edge.server({ serverId: 'server-2' });
    const first = edge.post(guest, message(1));
    server.socket.leave(1006);
    expect(first.isOpen).toBe(true);
    const second = edge.post(guest, message(2));
    edge.passWith(free, 1);
    expect([first, second].map((post) => post.status)).toEqual([200, 200]);
    const said = (await free.heard()).filter(([type]) => type === 'data').map(([, , text]) => text);
    expect(said.join('')).toBe(`${JSON_HANDSHAKE}${message(1)}${message(2)}`);
  });

  test('are forgotten when the client gives them up', async () => {
    const [first, second, third] = [1, 2, 3].map((n) => edge.post(guest, message(n)));
    second!.leave();
    server.socket.drain();
    expect([first, third].map((post) => post!.status)).toEqual([200, 200]);
    expect(await heard()).toEqual(['1', '3']);
  });

  test('hold up their own client only', async () => {
    const free = await edge.server({ id: 'other', serverId: 'server-2' });
    const other = edge.guest();
    edge.poll(other);
    edge.post(other, JSON_HANDSHAKE);
    const waiting = edge.post(guest, message(1));
    expect(edge.post(other, message(2)).status).toBe(200);
    expect(waiting.isOpen).toBe(true);
    expect(await free.heard()).toContainEqual(['data', other.id, message(2)]);
  });

  test('that the client has given up leave nothing behind', () => {
    for (const post of [edge.post(guest, message(1)), edge.post(guest, message(2))]) post.leave();
    expect(() => edge.pass(1)).not.toThrow();
    server.socket.drain();
    expect(edge.post(guest, message(3)).status).toBe(200);
  });

  test('find nothing when their client ends meanwhile', async () => {
    const post = edge.post(guest, message(1));
    server.closes(guest);
    expect(edge.closes).toEqual({ ClosedByAppServer: 1 });
    edge.pass(1);
    expect(post.answered).toEqual({ status: 404 });
  });

  test('wait for 20 seconds, then their client is closed, to come back', () => {
    const posts = [edge.post(guest, message(1)), edge.post(guest, message(2))];
    edge.passWith(server, 19);
    expect(posts.every((post) => post.isOpen)).toBe(true);
    edge.passWith(server, 1);
    expect(edge.closes).toEqual({ SlowAppServer: 1 });
    expect(posts.map((post) => post.status)).toEqual([404, 404]);
  });

  test('wait longer for as long as the edge itself slept', () => {
    const post = edge.post(guest, message(1));
    edge.sleep(60);
    expect(post.isOpen).toBe(true);
    expect(edge.closes).toEqual({});
  });
});

test('a post of a client that has gone meanwhile is answered 404', () => {
  server.socket.drain();
  const { post, exchange } = edge.beginPost(guest);
  server.closes(guest);
  post!.take(Buffer.from('x'));
  expect(exchange.answered).toEqual({ status: 404 });
});

test('posts are answered once where the end of their client brings them up again', () => {
  const posts = new HeldPosts();
  const answered: string[] = [];
  const session = {
    isOpen: true,
    hasRoom: false,
    close() {
      session.isOpen = false;
      posts.resume(20_001);
    },
  };
  const take = (body: Buffer): void => void answered.push(body.toString());
  const client = { session, take } as unknown as HttpClient;
  for (const text of ['first', 'second']) {
    posts.add(client, Buffer.from(text), new FakeExchange(), 0);
  }
  posts.resume(20_001);
  expect(answered).toEqual(['first', 'second']);
  expect(posts.has(client)).toBe(false);
});
