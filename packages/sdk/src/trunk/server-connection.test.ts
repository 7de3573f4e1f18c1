import { ConnectionType, encodeServiceMessage, MessageType } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';

import { Endpoint } from '../endpoints/endpoint.ts';
import type { FakeService } from '../fake-service.test-support.ts';
import { TEST_KEY, until } from '../fake-service.test-support.ts';
import { atEnd, fakeService, Log, passing, serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import { ManualClock } from '../manual-clock.test-support.ts';
import { Server } from '../server.ts';
import { HandSocket } from './hand-socket.test-support.ts';
import { SERVER_ID } from './identity.ts';
import { ServerConnection } from './server-connection.ts';

class Chat extends Hub {}

function starting(service: FakeService, clock: ManualClock) {
  const log = new Log();
  const { connectionString } = service;
  const server = new Server({ connectionString, connectionCount: 2, logger: log }, clock);
  atEnd(() => passing(clock, server.stop({ timeout: 0 })));
  server.hub('/chat', Chat);
  let started = false;
  const start = server.start().then(() => (started = true));
  return { server, log, start, started: () => started };
}

/** An open server connection by itself, of whose bytes 100,000 may wait. */
async function byHand() {
  const clock = new ManualClock();
  const socket = new HandSocket();
  const connectionString = `Endpoint=http://127.0.0.1;AccessKey=${TEST_KEY};Version=1.0;`;
  const dial = () => socket;
  const directory = () => {
    throw new Error('nobody asks it');
  };
  const ignored = () => {};
  const connection = new ServerConnection({
    endpoint: new Endpoint({ connectionString }, { dial, directory }),
    connectionType: ConnectionType.Default,
    receiver: {
      opened: ignored,
      message: ignored,
      data: ignored,
      unreadable: ignored,
      closed: ignored,
    },
    clock,
    maximumOutboundBytes: 100_000,
    migration: 'off',
    hub: 'chat',
    offer: '',
    target: undefined,
  });
  socket.emit('open');
  socket.take();
  const welcome = {
    type: MessageType.HandshakeResponse,
    errorMessage: '',
    connectionId: 'x',
  } as const;
  socket.emit('message', encodeServiceMessage(welcome));
  await connection.opened;
  return { clock, socket, connection };
}

test('five server connections for a hub, with the headers and the handshake of the protocol', async () => {
  const { service } = await serve(Chat, { server: { connectionCount: 5 } });
  await until(() => service.live.length === 5, 'five connections');
  const ids = new Set(service.live.map(({ url }) => url.searchParams.get('cid')));
  expect(ids.size).toBe(5);
  const { url, received } = service.live[0]!;
  expect(url.pathname).toBe('/server/');
  expect(url.searchParams.get('hub')).toBe('chat');
  expect(received[0]).toEqual({
    type: 1,
    version: 1,
    connectionType: 0,
    target: '',
    migrationLevel: 0,
    allowStatefulReconnects: false,
  });
  const { headers } = service.requests[0]!;
  expect(headers['x-asrs-server-id']).toBe(SERVER_ID);
  expect(SERVER_ID).toMatch(/_[0-9a-f]{32}$/);
  expect(headers['asrs-user-agent']).toMatch(/^trunkline-sdk\/\S+ \(Node v/);
  expect(headers['sec-websocket-extensions']).toBeUndefined();
  expect(headers.authorization).toMatch(/^Bearer ey/);
});

test.each([
  ['shutdown', 1],
  ['always', 2],
] as const)('migration %s is level %i of the handshake', async (migration, migrationLevel) => {
  const { service } = await serve(Chat, { migration });
  expect(service.live[0]!.received[0]).toMatchObject({ migrationLevel });
});

describe('start', () => {
  test('rejects on 401, with what to do', async () => {
    const service = await fakeService();
    service.refuseWith = 401;
    const { start, server } = starting(service, new ManualClock());
    await expect(start).rejects.toThrow(
      /answered 401: the AccessKey of the connection string is not one of its access keys$/,
    );
    await expect(server.start()).rejects.toMatchObject({ code: 'bad-options' });
  });

  test('rejects when it is stopped before it was connected', async () => {
    const clock = new ManualClock();
    const service = await fakeService();
    service.refuseWith = 503;
    const { start, server } = starting(service, clock);
    await until(() => service.requests.length === 3, 'some tries');
    const outcome = start.catch((error: unknown) => error);
    await passing(clock, server.stop());
    expect(await outcome).toMatchObject({ code: 'not-connected' });
  });

  test.each([503, 404])('keeps trying on %i, with a single probe', async (status) => {
    const clock = new ManualClock();
    const service = await fakeService();
    service.refuseWith = status;
    const { start, started, log } = starting(service, clock);
    await until(() => service.requests.length === 3 && clock.pending.length === 2, 'a back-off');
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0]).toContain(`answered ${status} instead of 101`);
    clock.advance(2000);
    await until(() => service.requests.length === 4, 'the next probe');
    expect(started()).toBe(false);
    service.refuseWith = undefined;
    await passing(clock, start);
    await until(() => service.live.length === 2, 'both connections');
  });

  test('keeps trying when the service refuses the handshake', async () => {
    const clock = new ManualClock();
    const service = await fakeService();
    service.handshakeError = 'Version mismatch.';
    const { start, log } = starting(service, clock);
    await until(() => log.lines[0]?.includes('Version mismatch.'), 'the reason');
    service.handshakeError = '';
    expect(await passing(clock, start)).toBe(true);
  });

  test('gives up on a handshake that is not answered in 15 s', async () => {
    const clock = new ManualClock();
    const service = await fakeService();
    service.handshakeError = undefined;
    const { log, start } = starting(service, clock);
    await until(() => service.connections[0]?.received.length === 1, 'a handshake request');
    await until(() => clock.pending.includes(15_000), 'its deadline');
    clock.advance(15_000);
    await until(() => log.lines[0]?.includes('no handshake response within 15 s'), 'the reason');
    service.handshakeError = '';
    expect(await passing(clock, start)).toBe(true);
  });
});

describe('a live server connection', () => {
  test('answers an echo at once and as it is', async () => {
    const { trunk } = await serve(Chat, { clock: new ManualClock() });
    trunk.send({ type: MessageType.Ping, entries: ['echo', 'abc'] });
    const pings = () => trunk.ofType(3).map(({ entries }) => entries);
    await until(() => pings().some(([key]) => key === 'echo'), 'the echo');
    expect(pings()).toContainEqual(['echo', 'abc']);
  });

  test('pings every 5 s with its load', async () => {
    const clock = new ManualClock();
    const { trunk } = await serve(Chat, { clock });
    const client = trunk.open();
    await client.text(0);
    clock.advance(5000);
    const loaded = ['#clientInHub', '1', '#client', '1'];
    await until(() => trunk.ofType(3).some(({ entries }) => entries[1] === '1'), 'a ping');
    expect(trunk.ofType(3).map(({ entries }) => entries)).toContainEqual(loaded);
  });

  test('is given up after 30 s of silence, and replaced', async () => {
    const clock = new ManualClock();
    const { trunk, service } = await serve(Chat, { clock });
    for (let second = 0; second < 30; second++) clock.advance(1000);
    const pings = () => trunk.ofType(3).filter(({ entries }) => entries[0] === '#clientInHub');
    await until(() => pings().length === 6, 'pings until then');
    expect(trunk.closeCode).toBeUndefined();
    clock.advance(5000);
    expect(await until(() => trunk.closeCode, 'the end')).toBe(1000);
    await until(() => service.live.length === 1, 'another one');
  });

  test('a service error ends it', async () => {
    const { trunk, service, log } = await serve(Chat);
    trunk.send({ type: MessageType.ServiceError, errorMessage: 'too much' });
    await until(() => trunk.closeCode === 1000, 'the end');
    expect(log.lines[0]).toContain('too much');
    await until(() => service.live.length === 1, 'another one');
  });

  test('a length that no frame has ends it', async () => {
    const { trunk, service } = await serve(Chat);
    trunk.socket.send(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]));
    expect(await until(() => trunk.closeCode, 'the end')).toBe(1000);
    await until(() => service.live.length === 1, 'another one');
  });

  test('unknown messages are passed over, and cuts between frames mean nothing', async () => {
    const { trunk } = await serve(Chat);
    trunk.socket.send(Buffer.from([2, 0x91, 99, 3, 0x92]));
    trunk.socket.send(Buffer.alloc(0));
    trunk.socket.send(Buffer.from([3, 0xa0]));
    trunk.socket.send(Buffer.from([10, 0x93, 3, 0xa4, 0x65, 0x63, 0x68, 0x6f, 0xa1, 0x78, 0xc0]));
    const echo = await until(
      () => trunk.ofType(3).find(({ entries }) => entries[0] === 'echo'),
      'the echo',
    );
    expect(echo.entries).toEqual(['echo', 'x']);
  });

  test('is not read while the service does not take the answers', async () => {
    let calls = 0;
    class Counts extends Hub {
      big(text: string): string {
        calls++;
        return text;
      }
    }
    const { trunk } = await serve(Counts, { server: { maximumOutboundBytes: 100_000 } });
    const client = trunk.open();
    await client.text(0);
    trunk.socket.pause();
    const all = 1000;
    for (let i = 0; i < all; i++) client.call('big', ['x'.repeat(50_000)]);
    let quiet = 0;
    let seen = 0;
    await until(() => {
      quiet = calls === seen ? quiet + 1 : 0;
      seen = calls;
      return calls > 0 && quiet > 2000;
    }, 'a standstill');
    expect(calls).toBeLessThan(all);
    trunk.socket.resume();
    await until(() => calls === all, 'all of them');
  });

  test('that is not read lives as long as the service takes something', async () => {
    const { clock, socket, connection } = await byHand();
    for (let n = 1; n <= 9; n++) {
      connection.post({ type: MessageType.Ping, entries: ['x', 'x'.repeat(10_000)] });
      await until(() => socket.waiting.length === n, 'a batch');
    }
    void connection.roomForAnswers();
    expect(socket.isPaused).toBe(true);
    for (let n = 0; n < 3; n++) {
      clock.advance(20_000);
      socket.take();
      connection.keepAlive(clock.now(), []);
    }
    expect(socket.isPaused).toBe(true);
    expect(socket.closeCode).toBeUndefined();
    clock.advance(31_000);
    connection.keepAlive(clock.now(), []);
    expect(socket.closeCode).toBe(1000);
    expect(connection.fault?.message).toBe('the service was silent for 30 s');
  });

  test('that is closing, whoever began that, takes no sends any more', async () => {
    const { socket, connection } = await byHand();
    const message = { type: MessageType.Ping, entries: [] } as const;
    connection.send(message);
    expect(connection.open).toBe(true);
    socket.close(1000);
    expect(connection.open).toBe(false);
    expect(() => connection.send(message)).toThrow('the server connection is closed; send again');
  });

  test('opens one more connection when the service rebalances, and does not replace it', async () => {
    const { trunk, service } = await serve(Chat);
    trunk.send({ type: MessageType.Ping, entries: ['target', 'inst 1'] });
    await until(() => service.live.length === 2, 'the extra connection');
    const extra = service.live[1]!;
    expect(extra.url.searchParams.get('target')).toBe('inst 1');
    expect(extra.ofType(1)[0]?.connectionType).toBe(1);
    extra.socket.terminate();
    trunk.socket.terminate();
    await until(() => service.connections.length === 3 && service.live.length === 1, 'one again');
    expect(service.live[0]!.ofType(1)[0]?.connectionType).toBe(0);
  });

  test('opens twenty such connections at the most, and another when one has ended', async () => {
    const { trunk, service } = await serve(Chat);
    const ask = (...names: string[]) =>
      trunk.send(
        ...names.map((name) => ({ type: MessageType.Ping, entries: ['target', name] }) as const),
      );
    ask(...Array.from({ length: 25 }, (_, n) => `inst ${n}`));
    await until(() => service.live.length === 21, 'the extra connections');
    ask('one too many');
    trunk.send({ type: MessageType.Ping, entries: ['echo', 'behind it'] });
    await until(
      () => trunk.ofType(MessageType.Ping).some(({ entries }) => entries[0] === 'echo'),
      'the echo',
    );
    service.live[1]!.socket.terminate();
    await until(() => service.live.length === 20, 'the end of one');
    await until(() => {
      ask('in its place');
      return service.live.length === 21;
    }, 'another one');
    const targets = service.connections.map(({ url }) => url.searchParams.get('target'));
    expect(targets.slice(1, 21)).toEqual(Array.from({ length: 20 }, (_, n) => `inst ${n}`));
    expect(targets.slice(21)).toEqual(['in its place']);
  });

  test('one that never lives long is not dialled without end', async () => {
    const clock = new ManualClock();
    const { service } = await serve(Chat, { clock });
    for (let lives = 1; lives <= 2; lives++) {
      await until(() => service.live.length === 1, 'a connection');
      expect(service.connections).toHaveLength(lives);
      service.live[0]!.socket.terminate();
      await until(() => service.live.length === 0, 'its end');
    }
    await until(() => clock.pending.some((wait) => wait > 1000), 'a wait');
    expect(service.connections).toHaveLength(2);
    clock.advance(2000);
    await until(() => service.live.length === 1, 'a new connection, later');
  });
});
