import { setImmediate as nextTurn } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import type { ListenerSettings } from '../../services/edge/src/listener/uws-listener.ts';
import { Pools } from '../../services/edge/src/pools.ts';
import type { Socket } from '../../services/edge/src/ports/socket.ts';
import { answersIn } from './support/raw-http.ts';
import { frame, Opcode, RawSocket, UPGRADE } from './support/raw-socket.ts';
import { Heard, WaitingDoors } from './support/waiting-doors.ts';

/** The public port, with doors behind it that decide later than at once, as when another edge is asked. */

function expectOpenSockets(doors: WaitingDoors) {
  return expect.poll(() => doors.counters.openSockets, { timeout: 15_000 });
}

/** It is a WebSocket, both ways. */
async function expectOpen(socket: RawSocket, heard: Heard): Promise<void> {
  expect((await socket.upgraded()).status).toBe('HTTP/1.1 101 Switching Protocols');
  socket.write(frame(Opcode.Text, 'from the peer'));
  await heard.events.first((event) => event === 'from the peer', 'what the peer says');
  heard.socket!.send(Buffer.from('to the peer'), false);
  const { payload } = await socket.frames.first(({ opcode }) => opcode === Opcode.Text, 'a frame');
  expect(payload.toString()).toBe('to the peer');
}

describe('a WebSocket that waits', () => {
  it.each(['client', 'server'] as const)('at /%s/ is accepted', async (door) => {
    using doors = await WaitingDoors.open();
    using socket = doors.knock(`/${door}/?hub=chat&x=%20`);
    const visit = await doors.upgrade();
    expect(visit).toMatchObject({
      door,
      request: { method: 'GET', path: `/${door}/`, query: 'hub=chat&x=%20' },
    });
    const heard = new Heard();
    visit.at.accept(heard);
    await expectOpen(socket, heard);
    await expectOpenSockets(doors).toBe(1);
    socket[Symbol.dispose]();
    await heard.events.first((event) => event === 'disconnected 1006', 'the end');
    await expectOpenSockets(doors).toBe(0);
    expect(visit.hasGone).toBe(false);
  });

  it.each(['client', 'server'] as const)('at /%s/ is refused', async (door) => {
    using doors = await WaitingDoors.open();
    using socket = doors.knock(`/${door}/?hub=chat`, { Origin: 'https://app.example' });
    (await doors.upgrade()).at.refuse({ status: 404, body: 'No Connection with that ID' });
    expect(await socket.answer()).toMatchObject({ status: 'HTTP/1.1 404 Not Found' });
    expect(answersIn(socket.text)).toEqual([{ status: 404, body: 'No Connection with that ID' }]);
    expect(socket.text).toContain('access-control-allow-origin: https://app.example\r\n');
    await expectOpenSockets(doors).toBe(1);
  });

  it('is accepted while another request is at its door, and gets none of its answer', async () => {
    using doors = await WaitingDoors.open();
    using socket = doors.knock();
    const { at } = await doors.upgrade();
    const heard = new Heard();
    doors.onVisit = () => at.accept(heard);
    using other = doors.ask('POST', '/client/negotiate?hub=chat');
    (await doors.exchange()).at.answer({ status: 200, body: 'for the other' });
    await expectOpen(socket, heard);
    expect((await other.answer()).status).toBe('HTTP/1.1 200 OK');
    expect(answersIn(other.text)).toEqual([{ status: 200, body: 'for the other' }]);
  });

  it.each(['resets its connection', 'ends it', 'sends another request'])(
    'ends when its peer %s',
    async (how) => {
      using doors = await WaitingDoors.open();
      using socket = doors.knock();
      const visit = await doors.upgrade();
      await expectOpenSockets(doors).toBe(1);
      if (how === 'resets its connection') socket.reset();
      else if (how === 'ends it') socket.end();
      else socket.request('GET', '/api/health');
      await visit.gone;
      await expectOpenSockets(doors).toBe(0);
      using next = new RawSocket(doors.url);
      next.request('GET', '/api/health');
      expect((await next.answer()).status).toBe('HTTP/1.1 200 OK');
    },
  );

  it('whose peer goes when it has been accepted is told so behind its opening', async () => {
    using doors = await WaitingDoors.open();
    const heard = new Heard();
    // Before uWebSockets.js reads the second request, for which it cuts the connection.
    doors.onVisit = ({ at }) =>
      void Promise.resolve().then(() => 'accept' in at && at.accept(heard));
    using socket = new RawSocket(doors.url);
    const lines = [
      'GET /client/ HTTP/1.1',
      'Host: edge',
      ...Object.entries(UPGRADE).map((h) => h.join(': ')),
    ];
    const request = `${lines.join('\r\n')}\r\n\r\n`;
    socket.write(request + request);
    await heard.events.first((event) => event === 'disconnected 1006', 'the end');
    expect(heard.events.all).toEqual(['opened', 'disconnected 1006']);
    expect((await doors.upgrade()).hasGone).toBe(false);
    await expectOpenSockets(doors).toBe(0);
    expect(socket.text).toBe('');
  });

  it('stays open, whatever memory its session asks for when it opens', async () => {
    using doors = await WaitingDoors.open();
    const kept: Buffer[] = [];
    class Greedy extends Heard {
      override opened(socket: Socket): void {
        super.opened(socket);
        for (let bytes = 40; bytes < 500; bytes += 8) {
          kept.push(Buffer.allocUnsafeSlow(bytes).fill(0x10));
        }
      }
    }
    for (let i = 0; i < 20; i++) {
      using socket = doors.knock();
      const heard = new Greedy();
      (await doors.upgrade()).at.accept(heard);
      await expectOpen(socket, heard);
    }
    expect(kept.length).toBeGreaterThan(0);
  });

  it('is opened in the call of its door if that decides at once', async () => {
    using doors = await WaitingDoors.open();
    const heard = new Heard();
    let during: readonly string[] = [];
    doors.onVisit = ({ at }) => {
      if ('accept' in at) at.accept(heard);
      during = [...heard.events.all];
    };
    using socket = doors.knock();
    await expectOpen(socket, heard);
    expect(during).toEqual(['opened']);
  });
});

describe('a request that waits', () => {
  it.each([
    ['negotiate', 'POST', '/client/negotiate'],
    ['leave', 'DELETE', '/client/'],
    ['send', 'POST', '/client/'],
    ['receive', 'GET', '/client/'],
  ] as const)('at the door %s is answered', async (door, method, path) => {
    using doors = await WaitingDoors.open();
    using socket = doors.ask(method, `${path}?hub=chat`);
    const visit = await doors.exchange();
    expect(visit).toMatchObject({ door, request: { method, path, query: 'hub=chat' } });
    await nextTurn();
    visit.at.answer({ status: 202, headers: { 'x-from': door }, body: 'later' });
    expect(await socket.answer()).toMatchObject({ status: 'HTTP/1.1 202 Accepted' });
    expect(answersIn(socket.text)).toEqual([{ status: 202, body: 'later' }]);
    expect(visit.hasGone).toBe(false);
  });

  it.each([
    ['negotiate', 'POST', '/client/negotiate'],
    ['leave', 'DELETE', '/client/'],
    ['send', 'POST', '/client/'],
  ] as const)('at the door %s ends when its peer goes', async (door, method, path) => {
    using doors = await WaitingDoors.open();
    const socket = doors.ask(method, path, 'half', 8);
    const visit = await doors.exchange();
    expect(visit.door).toBe(door);
    socket.reset();
    await visit.gone;
    await expectOpenSockets(doors).toBe(0);
    expect(doors.used('posts')).toBe(0);
  });
});

describe('a post that waits', () => {
  it('has its body read meanwhile, which counts until it is answered', async () => {
    using doors = await WaitingDoors.open();
    using socket = doors.ask('POST', '/client/', 'what the client says');
    const { at, body } = await doors.exchange();
    expect((await body).toString()).toBe('what the client says');
    expect(['posts', 'posts_of_user', 'post_bytes'].map(doors.used)).toEqual([1, 1, 20]);
    at.answer({ status: 200 });
    expect((await socket.answer()).status).toBe('HTTP/1.1 200 OK');
    expect(['posts', 'posts_of_user', 'post_bytes'].map(doors.used)).toEqual([0, 0, 0]);
  });

  it('is refused while its body comes, which counts no longer', async () => {
    using doors = await WaitingDoors.open();
    using socket = doors.ask('POST', '/client/', 'half', 8);
    const visit = await doors.exchange();
    await expect.poll(() => doors.used('post_bytes')).toBe(4);
    visit.at.answer({ status: 404 });
    expect((await socket.answer()).status).toBe('HTTP/1.1 404 Not Found');
    expect(['posts', 'post_bytes'].map(doors.used)).toEqual([0, 0]);
    socket.write('rest');
    socket.request('GET', '/api/health');
    await expect.poll(() => answersIn(socket.text).map(({ status }) => status)).toEqual([404, 200]);
    expect(visit.hasBody).toBe(false);
  });

  it('is given up when its body is too long, and its door is told', async () => {
    using doors = await WaitingDoors.open();
    using socket = doors.ask('POST', '/client/', 'x'.repeat(100_001));
    const visit = await doors.exchange();
    await visit.gone;
    expect((await socket.answer()).status).toBe('HTTP/1.1 413 Payload Too Large');
    expect(['posts', 'post_bytes'].map(doors.used)).toEqual([0, 0]);
  });

  it('is given up when its client has too many of them, and its door is told', async () => {
    using doors = await WaitingDoors.open();
    const others = Array.from({ length: 4 }, () => doors.ask('POST', '/client/', 'x'));
    for (const _ of others) await doors.exchange();
    using socket = doors.ask('POST', '/client/', 'x');
    const visit = await doors.exchange();
    await visit.gone;
    expect((await socket.answer()).status).toBe('HTTP/1.1 503 Service Unavailable');
    for (const other of others) other[Symbol.dispose]();
    await expect.poll(() => doors.used('posts')).toBe(0);
  });
});

/** One who waits at each kind of door, but that of polls, which always could. */
async function waitEverywhere(doors: WaitingDoors) {
  const sockets = [
    doors.knock('/client/?hub=chat'),
    doors.knock('/server/?hub=chat'),
    doors.ask('POST', '/client/negotiate'),
    doors.ask('DELETE', '/client/'),
    doors.ask('POST', '/client/', 'what the client says'),
  ] as const;
  const upgrades = [await doors.upgrade(), await doors.upgrade()];
  const exchanges = [await doors.exchange(), await doors.exchange(), await doors.exchange()];
  return { sockets, upgrades, exchanges };
}

it('ends every wait when the port is closed', async () => {
  using doors = await WaitingDoors.open();
  const { sockets, upgrades, exchanges } = await waitEverywhere(doors);
  await expectOpenSockets(doors).toBe(sockets.length);
  doors.close();
  for (const visit of [...upgrades, ...exchanges]) await visit.gone;
  for (const socket of sockets) await socket.ended;
  expect(doors.counters.openSockets).toBe(0);
  for (const socket of sockets) socket[Symbol.dispose]();
});

/** As if all open files were in use but those that are kept. */
function filesAreShort(): Partial<ListenerSettings> {
  return { openSockets: 0, pools: new Pools({ newcomers: { share: 8, total: 12 } }) };
}

describe.concurrent.each([
  ['while there are files', () => ({})],
  ['where files are short', filesAreShort],
])('%s', (_name, settings) => {
  /** uWebSockets.js cuts a socket from which no request comes after 10 to 12 s. */
  it('waits longer than a silent socket is let be, and than a crowd presses', async () => {
    using doors = await WaitingDoors.open(settings());
    const { sockets, upgrades, exchanges } = await waitEverywhere(doors);
    const crowd = Array.from({ length: 40 }, () => new RawSocket(doors.url));
    for (const silent of crowd) await silent.ended;
    expect(sockets.map(({ text }) => text)).toEqual(sockets.map(() => ''));
    const heard = { client: new Heard(), server: new Heard() };
    for (const { door, at } of upgrades) at.accept(heard[door as keyof typeof heard]);
    for (const { at } of exchanges) at.answer({ status: 200 });
    await expectOpen(sockets[0], heard.client);
    await expectOpen(sockets[1], heard.server);
    for (const socket of sockets.slice(2)) {
      expect((await socket.answer()).status).toBe('HTTP/1.1 200 OK');
    }
    for (const socket of [...sockets, ...crowd]) socket[Symbol.dispose]();
    await expectOpenSockets(doors).toBe(0);
  });
});

it('where files are short, a refusal is the last on its connection, and a poll is not', async () => {
  using doors = await WaitingDoors.open(filesAreShort());
  using silent = new RawSocket(doors.url);
  await expect.poll(() => doors.used('newcomers')).toBe(1);
  using socket = doors.ask('GET', '/client/');
  (await doors.exchange()).at.answer({ status: 200 });
  await socket.answer();
  socket.request('GET', '/client/');
  (await doors.exchange()).at.answer({ status: 404 });
  await socket.ended;
  expect(answersIn(socket.text).map(({ status }) => status)).toEqual([200, 404]);
  expect(doors.used('newcomers')).toBe(1);
  silent.end();
});

describe('where files are short, a request with a body in chunks of which none has come', () => {
  const CHUNKED = { 'Transfer-Encoding': 'chunked' };

  it.each([
    ['GET', '/client/', UPGRADE],
    ['POST', '/client/negotiate', {}],
    ['GET', '/nowhere', {}],
  ])('ends its connection if that is new: %s %s', async (method, path, headers) => {
    using doors = await WaitingDoors.open(filesAreShort());
    using socket = new RawSocket(doors.url);
    socket.request(method, path, { ...headers, ...CHUNKED });
    await socket.ended;
    expect(socket.text).toBe('');
    await expectOpenSockets(doors).toBe(0);
    expect(doors.used('newcomers')).toBe(0);
  });

  it('is answered on a connection that has had a request before', async () => {
    using doors = await WaitingDoors.open(filesAreShort());
    doors.onVisit = ({ at }) => 'answer' in at && at.answer({ status: 200 });
    using socket = doors.ask('GET', '/client/');
    await socket.answer();
    using silent = new RawSocket(doors.url);
    await expect.poll(() => doors.used('newcomers')).toBe(1);
    socket.request('GET', '/client/', CHUNKED);
    await expect.poll(() => answersIn(socket.text).map(({ status }) => status)).toEqual([200, 200]);
    await silent.ended;
  });
});
