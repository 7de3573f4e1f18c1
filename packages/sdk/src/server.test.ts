import { readFile } from 'node:fs/promises';

import { MessageType } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';

import { until } from './fake-service.test-support.ts';
import { atEnd, fakeService, Log, serve } from './harness.test-support.ts';
import { Hub } from './hubs/hub.ts';
import { createServer } from './server.ts';
import { VERSION } from './version.ts';

class Chat extends Hub {
  hello(): string {
    return 'hello';
  }
}

const connectionString = 'Endpoint=http://127.0.0.1;Port=1;AccessKey=k;Version=1.0;';

test('the version is the one of the package', async () => {
  const manifest = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  expect((JSON.parse(manifest) as { version: string }).version).toBe(VERSION);
});

describe('what cannot work is said at once', () => {
  const server = () => createServer({ connectionString });

  test.each<[string, () => unknown, RegExp]>([
    [
      'no AccessKey',
      () => createServer({ connectionString: 'Endpoint=http://x;a=b' }),
      /AccessKey/,
    ],
    ['count 0', () => createServer({ connectionString, connectionCount: 0 }), /connectionCount/],
    ['a relative path', () => server().hub('chat', Chat), /starts with \//],
    ['a query', () => server().hub('/chat?a', Chat), /has no query/],
    [
      'a size of 0',
      () => server().hub('/chat', Chat, { maximumReceiveMessageSize: 0 }),
      /maximumReceiveMessageSize/,
    ],
    [
      'no protocol',
      () => server().hub('/chat', Chat, { supportedProtocols: [] }),
      /supportedProtocols/,
    ],
    [
      'a migration that there is not',
      () => server().hub('/chat', Chat, { migration: 'on' as 'off' }),
      /migration/,
    ],
    [
      'two migrations for one hub',
      () => {
        const two = server();
        two.hub('/chat', Chat, { migration: 'always' });
        two.hub('/talk', Chat, { hub: 'chat' });
      },
      /'\/talk' has migration 'off', and another path of hub 'chat' has 'always'/,
    ],
    [
      'one path twice',
      () => {
        const twice = server();
        twice.hub('/chat', Chat);
        twice.hub('/chat/', Chat);
      },
      /mapped twice/,
    ],
  ])('%s', (_what, act, why) => {
    expect(act).toThrow(why);
  });

  test('a missing connection string, when it is needed', async () => {
    const known = process.env['TRUNKLINE_CONNECTION_STRING'];
    delete process.env['TRUNKLINE_CONNECTION_STRING'];
    const server = createServer();
    const { clients } = server.hub('/chat', Chat);
    await expect(clients.all.send('m')).rejects.toThrow('no server connection');
    await expect(server.start()).rejects.toThrow(/set TRUNKLINE_CONNECTION_STRING/);
    if (known !== undefined) process.env['TRUNKLINE_CONNECTION_STRING'] = known;
  });
});

test('two paths of one hub key share its server connections, and keep their options', async () => {
  const service = await fakeService();
  class Failing extends Hub {
    fail(): void {
      throw new Error('details');
    }
  }
  const server = createServer({
    connectionString: service.connectionString,
    connectionCount: 1,
    logger: new Log(),
  });
  atEnd(() => server.stop({ timeout: 0 }));
  server.hub('/chat', Failing);
  server.hub('/other', Failing, { hub: 'CHAT', enableDetailedErrors: true });
  await server.start();
  const trunk = await until(() => service.live[0], 'a server connection');
  expect(service.connections).toHaveLength(1);
  const first = trunk.open({ id: 'a', queryString: '?hub=chat&asrs.op=%2Fchat' });
  const second = trunk.open({ id: 'b', queryString: '?hub=chat&asrs.op=%2Fother' });
  first.call('fail');
  second.call('fail');
  expect(await first.text(1)).not.toContain('details');
  expect(await second.text(1)).toContain('details');
});

test('a hub may speak one protocol only', async () => {
  const { trunk, hub } = await serve(Chat, { supportedProtocols: ['json'] });
  const client = trunk.open({ protocol: 'messagepack' });
  expect(await client.text(0)).toBe('{"error":"The protocol \'messagepack\' is not supported."}');
  await hub.clients.all.send('m');
  const { payloads } = await trunk.next(MessageType.BroadcastData);
  expect(Array.from(payloads, ([protocol]) => protocol)).toEqual(['json']);
});

describe('stop', () => {
  const texts = (lines: readonly string[]) => lines.filter((line) => line !== '{}');
  const migrated = new Map([['Asrs-Migrate-To', ['other']]]);

  test('at rest: says so on every connection, and closes with 1000', async () => {
    const { server, service } = await serve(Chat, { server: { connectionCount: 3 } });
    await until(() => service.live.length === 3, 'all connections');
    await server.stop();
    expect(service.connections).toHaveLength(3);
    for (const connection of service.connections) {
      expect(connection.ofType(3).map(({ entries }) => entries)).toContainEqual([
        'shutdown',
        'fin:1',
      ]);
      await until(() => connection.closeCode === 1000, 'a close');
    }
  });

  test('waits for the clients to move, and serves them until then', async () => {
    const { server, trunk } = await serve(Chat);
    const client = trunk.open();
    await client.text(0);
    let stopped = false;
    const stopping = server.stop({ timeout: 60_000 }).then(() => (stopped = true));
    await until(() => trunk.ofType(3).some(({ entries }) => entries[1] === 'fin:1'), 'fin');
    client.call('hello');
    expect(await client.text(1)).toContain('hello');
    expect(stopped).toBe(false);
    client.close(migrated);
    await stopping;
    expect(client.texts).toHaveLength(2);
  });

  test('lets go of who is left, after onDisconnected, and leaves them to the service', async () => {
    const events: unknown[] = [];
    class Leaves extends Hub {
      override async onDisconnected(error?: Error): Promise<void> {
        await new Promise(setImmediate);
        events.push(error);
      }
    }
    const { server, trunk } = await serve(Leaves);
    const client = trunk.open();
    await client.text(0);
    await server.stop({ timeout: 1 });
    expect(events).toEqual([undefined]);
    await until(() => trunk.closeCode === 1000, 'the close');
    expect(texts(client.texts)).toEqual([]);
    expect(trunk.ofType(MessageType.CloseConnection)).toEqual([]);
  });

  test('waits for a call whose client has gone', async () => {
    let release = () => {};
    let done = false;
    class Works extends Hub {
      async work(): Promise<void> {
        await new Promise<void>((resolve) => (release = resolve));
        done = true;
      }
    }
    const { server, trunk } = await serve(Works);
    const client = trunk.open();
    client.call('work', [], '');
    await until(() => release.toString() !== '() => {}', 'the call');
    const stopping = server.stop({ timeout: 60_000 });
    client.close(migrated);
    await until(() => trunk.ofType(3).some(({ entries }) => entries[1] === 'fin:1'), 'fin');
    release();
    await stopping;
    expect(done).toBe(true);
  });

  test('waits for a call of a client that comes before the service has acknowledged', async () => {
    let release: (() => void) | undefined;
    class Works extends Hub {
      async work(): Promise<string> {
        await new Promise<void>((resolve) => (release = resolve));
        return 'done';
      }
    }
    const { server, service, trunk } = await serve(Works);
    service.acknowledgesFin = false;
    let stopped = false;
    const stopping = server.stop({ timeout: 60_000 }).then(() => (stopped = true));
    await until(() => trunk.ofType(3).some(({ entries }) => entries[1] === 'fin:1'), 'fin');
    const client = trunk.open();
    client.call('work');
    const end = await until(() => release, 'the call');
    trunk.send({ type: MessageType.Ping, entries: ['shutdown', 'finack'] });
    trunk.send({ type: MessageType.Ping, entries: ['echo', 'behind it'] });
    await until(() => trunk.ofType(3).some(({ entries }) => entries[0] === 'echo'), 'the echo');
    expect(stopped).toBe(false);
    end();
    expect(await client.text(1)).toContain('done');
    client.close(migrated);
    await stopping;
  });

  test('lets the onDisconnected end of a client that comes while it closes', async () => {
    const events: string[] = [];
    class Late extends Hub {
      override onConnected(): void {
        events.push('connected');
      }
      override async onDisconnected(): Promise<void> {
        await new Promise(setImmediate);
        events.push('disconnected');
      }
    }
    const { server, trunk } = await serve(Late);
    trunk.socket.pause();
    const stopping = server.stop({ timeout: 60_000 });
    trunk.send({ type: MessageType.Ping, entries: ['shutdown', 'finack'] });
    const open = () => server.health.hubs[0]!.endpoints[0]!.serverConnections;
    await until(() => open() === 0, 'the closing');
    trunk.open();
    await until(() => events.length === 1, 'the client');
    trunk.socket.resume();
    await stopping;
    expect(events).toEqual(['connected', 'disconnected']);
  });

  test('called again, ends with the first', async () => {
    const { server, trunk } = await serve(Chat);
    const client = trunk.open();
    await client.text(0);
    const ends: string[] = [];
    const first = server.stop({ timeout: 60_000 }).then(() => ends.push('first'));
    const second = server.stop({ timeout: 0 }).then(() => ends.push('second'));
    await until(() => trunk.ofType(3).some(({ entries }) => entries[1] === 'fin:1'), 'fin');
    expect(ends).toEqual([]);
    client.close(migrated);
    await Promise.all([first, second]);
    expect(ends).toEqual(['first', 'second']);
  });

  test('does not hang on a service that never acknowledges', async () => {
    const { server, service } = await serve(Chat);
    service.acknowledgesFin = false;
    await server.stop({ timeout: 50 });
    expect(service.live).toEqual([]);
  });
});
