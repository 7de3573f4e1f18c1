import { MessageType } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';

import { HubError } from '../errors.ts';
import { until } from '../fake-service.test-support.ts';
import { serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import { ManualClock } from '../manual-clock.test-support.ts';
import type { HubContext } from './context.ts';

/** A hub class that notes what happens to its connections. */
function diary(onConnected: (context: HubContext) => void | Promise<void> = () => {}) {
  const events: unknown[] = [];
  class Diary extends Hub {
    override async onConnected(): Promise<void> {
      events.push('connected');
      this.context.signal.addEventListener('abort', () => events.push('aborted'));
      await onConnected(this.context);
    }
    override onDisconnected(error?: Error): void {
      events.push(error === undefined ? 'disconnected' : `disconnected: ${error.message}`);
    }
    hello(): string {
      events.push('hello');
      return 'hello';
    }
    leave(): void {
      this.context.abort();
    }
  }
  return { events, Diary };
}

describe('the beginning', () => {
  test('messages wait for onConnected', async () => {
    let connect = () => {};
    const { Diary, events } = diary(() => new Promise((resolve) => (connect = resolve)));
    const { trunk } = await serve(Diary);
    const client = trunk.open();
    client.call('hello');
    client.call('hello');
    expect(await client.text(0)).toBe('{}');
    expect(events).toEqual(['connected']);
    connect();
    await client.text(2);
    expect(events).toEqual(['connected', 'hello', 'hello']);
  });

  test('an onConnected that throws closes for good, without onDisconnected', async () => {
    const { Diary, events } = diary(() => Promise.reject(new Error('no')));
    const { trunk } = await serve(Diary);
    const client = trunk.open();
    await client.released();
    expect(client.texts).toEqual(['{}', '{"type":7,"error":"Connection closed with an error."}']);
    expect(events).toEqual(['connected', 'aborted']);
  });

  test('a HubError of onConnected tells the client why', async () => {
    const { Diary } = diary(() => Promise.reject(new HubError('full')));
    const { trunk } = await serve(Diary);
    expect(await trunk.open().text(1)).toBe(
      '{"type":7,"error":"Connection closed with an error. HubException: full"}',
    );
  });

  test.each([
    ['{"protocol":"zzz","version":1}\x1e', "The protocol 'zzz' is not supported."],
    [
      '{"protocol":"json","version":3}\x1e',
      "The server does not support version 3 of the 'json' protocol.",
    ],
    ['nonsense\x1e', 'An unexpected error occurred during connection handshake.'],
    [`{"protocol":"${'x'.repeat(2000)}`, 'Handshake was canceled.'],
  ])('the handshake %j is refused', async (handshake, error) => {
    const { Diary, events } = diary();
    const { trunk } = await serve(Diary, { maximumReceiveMessageSize: 1000 });
    const client = trunk.open({ handshake: Buffer.from(handshake) });
    await client.released();
    expect(client.texts).toEqual([JSON.stringify({ error })]);
    expect(client.written[0]?.dataType).toBe(1);
    expect(events).toEqual([]);
  });

  test('a handshake may come in pieces, and a call right behind it', async () => {
    const { Diary } = diary();
    const { trunk } = await serve(Diary);
    const client = trunk.open({ handshake: Buffer.from('{"protocol":"js') });
    client.write(Buffer.from('on","version":1}\x1e{"type":1,"target":"hello","argu'));
    client.write(Buffer.from('ments":[],"invocationId":"1"}\x1e'));
    expect(await client.text(1)).toBe('{"type":3,"invocationId":"1","result":"hello"}');
  });

  test('a client that was moved here is served without a handshake response', async () => {
    const { Diary, events } = diary();
    const { trunk } = await serve(Diary);
    const client = trunk.open({ headers: new Map([['ASRS-Migrate-From', ['other']]]) });
    client.call('hello');
    expect(await client.text(0)).toBe('{"type":3,"invocationId":"1","result":"hello"}');
    expect(events).toEqual(['connected', 'hello']);
  });

  test('a moved client that cannot be served is only closed', async () => {
    const { Diary } = diary();
    const { trunk } = await serve(Diary);
    const headers = new Map([['Asrs-Migrate-From', ['other']]]);
    const client = trunk.open({ protocol: 'zzz', headers });
    await client.released();
    expect(client.texts).toEqual([]);
  });
});

describe('the end', () => {
  const failed = '{"type":7,"error":"Connection closed with an error.","allowReconnect":true}';

  test('the service closes it: nothing is sent', async () => {
    const { Diary, events } = diary();
    const { trunk } = await serve(Diary);
    const client = trunk.open();
    await client.text(0);
    client.close();
    await until(() => events.length === 3, 'the end');
    expect(events).toEqual(['connected', 'aborted', 'disconnected']);
    expect(client.texts).toEqual(['{}']);
    expect(trunk.ofType(MessageType.CloseConnection)).toEqual([]);
  });

  test.each([
    ['a close message', { type: 7 }, '{"type":7}', 'disconnected'],
    ['one with an error', { type: 7, error: 'bye' }, '{"type":7}', 'disconnected: bye'],
    ['context.abort()', { type: 1, target: 'leave', arguments: [] }, '{"type":7}', 'disconnected'],
    ['JSON without a type', {}, failed, "disconnected: Missing required property 'type'."],
    [
      'a call without arguments',
      { type: 1, target: 'hello' },
      failed,
      "disconnected: Missing required property 'arguments'.",
    ],
  ])('by %s', async (_what, message, close, event) => {
    const { Diary, events } = diary();
    const { trunk } = await serve(Diary);
    const client = trunk.open();
    client.json(message);
    await client.released();
    expect(client.texts.at(-1)).toBe(close);
    expect(client.written.at(-1)?.dataType).toBe(4);
    expect(events).toEqual(['connected', 'aborted', event]);
    expect(trunk.received.at(-1)?.type).toBe(MessageType.CloseConnection);
  });

  test('by context.abort() in the first step of onConnected, onDisconnected follows', async () => {
    const { Diary, events } = diary((context) => context.abort());
    const { trunk } = await serve(Diary);
    const client = trunk.open();
    client.call('hello');
    await client.released();
    expect(client.texts).toEqual(['{}', '{"type":7}']);
    expect(events).toEqual(['connected', 'aborted', 'disconnected']);
  });

  test('a message over the limit', async () => {
    const { Diary, events } = diary();
    const { trunk } = await serve(Diary, {
      maximumReceiveMessageSize: 100,
      enableDetailedErrors: true,
    });
    const client = trunk.open();
    client.json({ type: 1, target: 'hello', arguments: ['x'.repeat(100)] });
    await client.released();
    const why =
      'The maximum message size of 100B was exceeded. The message size can be configured in AddHubOptions.';
    expect(client.texts.at(-1)).toBe(
      `{"type":7,"error":"Connection closed with an error. InvalidDataException: ${why}","allowReconnect":true}`,
    );
    expect(events.at(-1)).toBe(`disconnected: ${why}`);
  });

  test('the server connection is lost', async () => {
    const { Diary, events } = diary();
    const { trunk, service } = await serve(Diary);
    const client = trunk.open();
    await client.text(0);
    trunk.socket.terminate();
    await until(() => events.length === 3, 'the end');
    expect(events).toEqual(['connected', 'aborted', 'disconnected']);
    await until(() => service.live.length === 1, 'another server connection');
  });

  test('offline ends the clients of the lost instance only', async () => {
    const { Diary, events } = diary();
    const { trunk } = await serve(Diary);
    const headers = new Map([['Asrs-Instance-Id', ['i1']]]);
    const lost = trunk.open({ id: 'lost', headers });
    const kept = trunk.open({ id: 'kept' });
    await Promise.all([lost.text(0), kept.text(0)]);
    trunk.send({ type: MessageType.Ping, entries: ['offline', 'i1'] });
    await until(() => events.includes('disconnected'), 'the end of one');
    kept.call('hello');
    expect(await kept.text(1)).toContain('"hello"');
  });

  test('an id that is opened again is another client, and the first has gone', async () => {
    const { Diary, events } = diary();
    const { trunk, server } = await serve(Diary);
    const first = trunk.open();
    first.call('hello');
    await first.text(1);
    const second = trunk.open();
    second.call('hello');
    await second.text(3);
    expect(events).toEqual(['connected', 'hello', 'aborted', 'connected', 'disconnected', 'hello']);
    expect(server.health.hubs.map(({ clients }) => clients)).toEqual([1]);
    second.close();
    await until(() => server.health.hubs[0]!.clients === 0, 'its end');
  });

  test('what comes late on the server connection that a client was on does not reach it', async () => {
    const { Diary, events } = diary();
    const { trunk, service } = await serve(Diary, { server: { connectionCount: 2 } });
    const before = trunk.open();
    await before.text(0);
    const now = (await until(() => service.live[1], 'a second server connection')).open();
    await now.text(0);
    before.call('hello', [], 'late');
    before.close();
    trunk.send({ type: MessageType.Ping, entries: ['echo', 'all of it'] });
    await until(
      () => trunk.ofType(MessageType.Ping).some(({ entries }) => entries[0] === 'echo'),
      'the word that all of it is read',
    );
    now.call('hello', [], 'on time');
    expect(await now.text(1)).toBe('{"type":3,"invocationId":"on time","result":"hello"}');
    expect(before.texts).toEqual(['{}']);
    expect(events).toEqual(['connected', 'aborted', 'connected', 'disconnected', 'hello']);
  });

  test('what waits behind a call is bounded', async () => {
    const { Diary, events } = diary(() => new Promise(() => {}));
    const { trunk } = await serve(Diary, { maximumPendingBytes: 1000 });
    const client = trunk.open();
    for (let i = 0; i < 20; i++) client.call('hello', [], '');
    await until(() => client.texts.length === 2, 'the close');
    expect(client.texts[1]).toBe(failed);
    expect(events).toEqual(['connected', 'aborted']);
  });
});

describe('silence', () => {
  test('a client is pinged every 15 s, whatever else it gets', async () => {
    const clock = new ManualClock();
    const { Diary } = diary();
    const { trunk } = await serve(Diary, { clock });
    const client = trunk.open();
    await client.text(0);
    clock.advance(14_000);
    client.call('hello');
    await client.text(1);
    clock.advance(1_000);
    expect(await client.text(2)).toBe('{"type":6}');
    expect(client.written[2]?.dataType).toBe(3);
  });

  test('only a client that pings times out', async () => {
    const clock = new ManualClock();
    const { Diary, events } = diary();
    const { trunk, service } = await serve(Diary, { clock });
    const quiet = trunk.open({ id: 'quiet' });
    const pings = trunk.open({ id: 'pings' });
    pings.json({ type: 6 });
    pings.call('hello');
    await Promise.all([quiet.text(0), pings.text(1)]);
    for (let second = 0; second < 32; second++) {
      clock.advance(1000);
      service.live[0]?.send({ type: MessageType.Ping, entries: ['echo', String(second)] });
      await until(
        () => trunk.ofType(MessageType.Ping).some(({ entries }) => entries[1] === String(second)),
        'the echo',
      );
    }
    await pings.released();
    expect(events.filter((event) => String(event).startsWith('disconnected'))).toEqual([
      "disconnected: Client hasn't sent a message/ping within the configured ClientTimeoutInterval.",
    ]);
    expect(pings.texts.at(-1)).toBe(
      '{"type":7,"error":"Connection closed with an error.","allowReconnect":true}',
    );
    quiet.call('hello');
    await until(() => quiet.texts.at(-1)?.includes('"hello"'), 'the other one');
  });

  test('is not the fault of a client whose own call holds back what it says', async () => {
    const clock = new ManualClock();
    let end = () => {};
    class Slow extends Hub {
      slow(): Promise<void> {
        return new Promise((resolve) => (end = resolve));
      }
    }
    const { trunk } = await serve(Slow, { clock });
    const client = trunk.open();
    client.json({ type: 6 });
    client.call('slow', [], '1');
    // One behind it may still be dispatched, and would be waited for.
    client.call('slow', [], '2');
    client.json({ type: 6 });
    const echoed = async (text: string) => {
      trunk.send({ type: MessageType.Ping, entries: ['echo', text] });
      await until(
        () => trunk.ofType(MessageType.Ping).some(({ entries }) => entries[1] === text),
        'the echo',
      );
    };
    await echoed('called');
    for (let second = 0; second < 100; second++) {
      clock.advance(1000);
      await echoed(String(second));
    }
    end();
    expect(await until(() => client.texts.find((text) => text.includes('"1"')), 'the answer')).toBe(
      '{"type":3,"invocationId":"1","result":null}',
    );
    expect(client.texts.filter((text) => text.includes('"type":7'))).toEqual([]);
  });

  test('a handshake that never comes', async () => {
    const clock = new ManualClock();
    const { Diary } = diary();
    const { trunk } = await serve(Diary, { clock, handshakeTimeout: 3000 });
    const client = trunk.open({ handshake: Buffer.from('{') });
    trunk.send({ type: MessageType.Ping, entries: ['echo', 'x'] });
    await until(
      () => trunk.ofType(MessageType.Ping).some(({ entries }) => entries[0] === 'echo'),
      'the echo',
    );
    clock.advance(3000);
    await client.released();
    expect(client.texts).toEqual(['{"error":"Handshake was canceled."}']);
  });
});

/** The type that .NET has for the claim. */
const ROLE = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';

test('the context', async () => {
  const seen: unknown[] = [];
  class Looks extends Hub {
    override onConnected(): void {
      const { connectionId, userIdentifier, claims, headers, query } = this.context;
      seen.push(connectionId, userIdentifier, { ...claims }, headers['x-a'], query.get('room'));
      this.context.items.set('n', 1);
    }
    item(): unknown {
      return this.context.items.get('n');
    }
  }
  const { trunk } = await serve(Looks);
  const client = trunk.open({
    claims: [
      ['asrs.s.uid', 'alice'],
      ['exp', '1'],
      ['asrs.u.iss', 'me'],
      // As the service writes them, and as one would that does not add the long types.
      [ROLE, 'a'],
      ['role', 'a'],
      [ROLE, 'a'],
      ['role', 'a'],
      ['role', 'b'],
      ['__proto__', 'x'],
    ],
    headers: new Map([['X-A', ['1', '2']]]),
    queryString: '?hub=looks&room=r%201',
  });
  client.call('item');
  expect(await client.text(1)).toBe('{"type":3,"invocationId":"1","result":1}');
  expect(seen).toEqual([
    'c1',
    'alice',
    Object.fromEntries([
      ['iss', 'me'],
      ['role', ['a', 'a', 'b']],
      ['__proto__', 'x'],
    ]),
    '1, 2',
    'r 1',
  ]);
});
