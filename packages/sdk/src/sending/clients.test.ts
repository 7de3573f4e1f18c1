import { MessageType } from '@trunkline/protocol';
import type { ServiceMessage } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';

import { until } from '../fake-service.test-support.ts';
import { passing, serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import { ManualClock } from '../manual-clock.test-support.ts';
import type { CallerClients } from './clients.ts';

interface Receiver {
  m(text: string): void;
  send(text: string): void;
}

type Act = (clients: CallerClients<Receiver>) => Promise<void>;

/** Runs whatever a test wants to send, on a hub's behalf. */
class Acts extends Hub<Receiver> {
  static act: Act = () => Promise.resolve();
  async act(): Promise<void> {
    await Acts.act(this.clients);
  }
}

/** In hexadecimal. */
const FRAMES = new Map([
  ['json', Buffer.from('{"type":1,"target":"m","arguments":["all"]}\x1e').toString('hex')],
  ['messagepack', '0b950180c0a16d91a3616c6c'],
]);

function shown(message: ServiceMessage | undefined) {
  const { payloads, ...rest } = message as ServiceMessage & { payloads: Map<string, Uint8Array> };
  return { ...rest, protocols: [...payloads.keys()] };
}

const isSend = ({ type }: ServiceMessage) => type >= 7 && type <= 14;

async function twoClients() {
  const harness = await serve(Acts, { server: { connectionCount: 2 } });
  const [first, second] = await until(
    () => harness.service.live.length === 2 && harness.service.live,
    'two server connections',
  );
  const me = first!.open({ id: 'ME' });
  const other = second!.open({ id: 'OTHER', protocol: 'messagepack' });
  await Promise.all([me.text(0), other.text(0)]);
  return { ...harness, first: first!, second: second!, me };
}

const group = { type: 13, group: 'g', excludedUserIds: [], callerUserId: undefined };
const both = { protocols: ['json', 'messagepack'] };

describe('what each selector sends, from inside a hub', () => {
  test.each<[string, Act, object, 'first' | 'second']>([
    ['all', (c) => c.all.m('all'), { type: 10, excludedConnectionIds: [], ...both }, 'first'],
    [
      'allExcept',
      (c) => c.allExcept(['x1', 'x2']).m('all'),
      { type: 10, excludedConnectionIds: ['x1', 'x2'], ...both },
      'first',
    ],
    [
      'others',
      (c) => c.others.m('all'),
      { type: 10, excludedConnectionIds: ['ME'], ...both },
      'first',
    ],
    [
      'caller',
      (c) => c.caller.m('all'),
      { type: 7, connectionIds: ['ME'], protocols: ['json'] },
      'first',
    ],
    [
      'client, here',
      (c) => c.client('OTHER').m('all'),
      { type: 7, connectionIds: ['OTHER'], protocols: ['messagepack'] },
      'first',
    ],
    [
      'client, elsewhere',
      (c) => c.client('REMOTE').m('all'),
      { type: 7, connectionIds: ['REMOTE'], ...both },
      'first',
    ],
    [
      'clients',
      (c) => c.clients(['ME', 'OTHER']).m('all'),
      { type: 7, connectionIds: ['ME', 'OTHER'], ...both },
      'first',
    ],
    [
      'group',
      (c) => c.group('g').m('all'),
      { ...group, excludedConnectionIds: [], ...both },
      'first',
    ],
    [
      'groupExcept',
      (c) => c.groupExcept('g', ['x1']).m('all'),
      { ...group, excludedConnectionIds: ['x1'], ...both },
      'first',
    ],
    [
      'othersInGroup',
      (c) => c.othersInGroup('g').m('all'),
      { ...group, excludedConnectionIds: ['ME'], ...both },
      'first',
    ],
    [
      'groups',
      (c) => c.groups(['g', 'h']).m('all'),
      { type: 14, groups: ['g', 'h'], ...both },
      'first',
    ],
    ['user', (c) => c.user('u').m('all'), { type: 8, userId: 'u', ...both }, 'first'],
    [
      'users',
      (c) => c.users(['u', 'v']).m('all'),
      { type: 9, userIds: ['u', 'v'], ...both },
      'first',
    ],
    [
      'send',
      (c) => c.all.send('m', 'all'),
      { type: 10, excludedConnectionIds: [], ...both },
      'first',
    ],
  ])('%s', async (_name, act, expected, where) => {
    const harness = await twoClients();
    Acts.act = act;
    harness.me.call('act');
    await harness.me.text(1);
    const message = await until(() => harness[where].received.find(isSend), 'the message');
    expect(shown(message)).toEqual(expected);
    const { payloads } = message as { payloads: Map<string, Uint8Array> } & ServiceMessage;
    for (const [name, payload] of payloads) {
      expect(Buffer.from(payload).toString('hex')).toBe(FRAMES.get(name));
    }
  });

  test.each<[string, Act]>([
    ['clients', (c) => c.clients([]).m('all')],
    ['groups', (c) => c.groups([]).m('all')],
    ['users', (c) => c.users([]).m('all')],
  ])('%s of an empty list sends nothing', async (_name, act) => {
    const { me, first, second } = await twoClients();
    Acts.act = act;
    me.call('act');
    expect(await me.text(1)).toBe('{"type":3,"invocationId":"1","result":null}');
    expect([...first.received, ...second.received].filter(isSend)).toEqual([]);
  });

  test('an empty group name is refused', async () => {
    const { me } = await twoClients();
    const errors: unknown[] = [];
    Acts.act = async (clients) => {
      for (const names of [['g', ''], ['']]) {
        try {
          await clients.groups(names).m('all');
        } catch (error) {
          errors.push(error);
        }
      }
    };
    me.call('act');
    await me.text(1);
    expect(errors.map(String)).toEqual(
      Array.from({ length: 2 }, () => 'TypeError: Cannot send to an empty group name.'),
    );
  });
});

test('what one hub call sends leaves in order, in one WebSocket message', async () => {
  const { trunk } = await serve(Acts);
  const me = trunk.open({ id: 'ME' });
  await me.text(0);
  const frames = trunk.frames.length;
  Acts.act = async (clients) => {
    await clients.group('g').m('1');
    await clients.caller.m('2');
    await clients.all.m('3');
  };
  me.call('act');
  await me.text(1);
  expect(trunk.frames.length).toBe(frames + 1);
  const types = trunk.received.map(({ type }) => type).filter((type) => type > 3);
  expect(types).toEqual([6, 13, 7, 10, 6]);
});

test('what one hub call sends to all and to another client here leaves in order', async () => {
  const { me, first } = await twoClients();
  Acts.act = async (clients) => {
    await clients.all.m('first');
    await clients.client('OTHER').m('second');
  };
  me.call('act');
  await me.text(1);
  expect(first.received.filter(isSend).map(({ type }) => type)).toEqual([10, 7]);
});

test('a batch is cut at 1 MiB', async () => {
  const { trunk, hub } = await serve(Acts);
  const big = 'x'.repeat(300_000);
  await Promise.all(Array.from({ length: 4 }, () => hub.clients.all.m(big)));
  await until(() => trunk.received.filter(isSend).length === 4, 'all of them');
  expect(trunk.frames.filter((size) => size > 1000)).toHaveLength(2);
  expect(Math.max(...trunk.frames)).toBeLessThan(2 * 1024 * 1024);
});

describe('from outside a hub', () => {
  test('one target always takes the same server connection', async () => {
    const { hub, service } = await serve(Acts, { server: { connectionCount: 3 } });
    await until(() => service.live.length === 3, 'three connections');
    const sends = () => service.live.map(({ received }) => received.filter(isSend).length);
    for (let i = 0; i < 10; i++) await hub.clients.user('u1').m('x');
    await until(() => sends().includes(10), 'all on one');
    for (let i = 0; i < 60; i++) await hub.clients.user(`u${i}`).m('x');
    await until(() => sends().reduce((a, b) => a + b) === 70, 'all of them');
    expect(sends().filter((count) => count > 0)).toHaveLength(3);
  });

  test('a client here gets its own protocol on its own server connection', async () => {
    const { hub, second } = await twoClients();
    await hub.clients.client('OTHER').m('all');
    const message = await until(() => second.received.find(isSend), 'the message');
    expect(shown(message)).toEqual({
      type: 7,
      connectionIds: ['OTHER'],
      protocols: ['messagepack'],
    });
  });

  test('sends reject without a server connection, and need not be awaited', async () => {
    const { hub, server } = await serve(Acts);
    await server.stop({ timeout: 0 });
    void hub.clients.all.m('nobody');
    await expect(hub.clients.all.m('nobody')).rejects.toMatchObject({ code: 'not-connected' });
  });

  test('sends reject when the service does not take what was sent', async () => {
    const { hub, trunk } = await serve(Acts, { server: { maximumOutboundBytes: 100_000 } });
    trunk.socket.pause();
    const fill = async () => {
      for (;;) {
        await hub.clients.all.m('x'.repeat(50_000));
        await new Promise(setImmediate);
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: 'outbound-full' });
    trunk.socket.resume();
    await until(() => {
      let sent = true;
      hub.clients.all.m('y').catch(() => (sent = false));
      return sent;
    }, 'room again');
  });

  test('a value that cannot be serialised rejects', async () => {
    const { hub } = await serve(Acts);
    await expect(hub.clients.all.send('m', 1n)).rejects.toThrow(/BigInt/);
  });
});

test('proxies can be awaited and resolve to themselves', async () => {
  const { hub } = await serve(Acts);
  const proxy = hub.clients.all;
  expect(await (proxy as unknown)).toBe(proxy);
  expect(proxy.m).toBe(hub.clients.user('u').m);
});

test('proxies send nothing when they are made JSON or text', async () => {
  const { hub, trunk } = await serve(Acts);
  for (const proxy of [hub.clients.all, hub.clients.client('c1').invoke()]) {
    expect(JSON.stringify(proxy)).toBe('{}');
    expect(() => String(proxy as unknown)).toThrow(TypeError);
  }
  await hub.clients.all.send('toJSON');
  await trunk.next(MessageType.BroadcastData);
  expect(trunk.ofType(MessageType.BroadcastData)).toHaveLength(1);
});

describe('groups', () => {
  test('join and leave resolve on their acks', async () => {
    const { trunk, hub } = await serve(Acts);
    const done: string[] = [];
    const joined = hub.groups.add('c1', 'g').then(() => done.push('joined'));
    const left = hub.groups.remove('c1', 'g').then(() => done.push('left'));
    expect(await trunk.next(18)).toEqual({ type: 18, connectionId: 'c1', group: 'g', ackId: 1 });
    expect(await trunk.next(19)).toEqual({ type: 19, connectionId: 'c1', group: 'g', ackId: 2 });
    trunk.send({ type: MessageType.Ack, ackId: 2, status: 2, message: '' });
    await left;
    expect(done).toEqual(['left']);
    trunk.send({ type: MessageType.Ack, ackId: 1, status: 1, message: '' });
    await joined;
  });

  test('no ack within 10 s rejects, and so do the statuses 3 and 4', async () => {
    const clock = new ManualClock();
    const { trunk, hub } = await serve(Acts, { clock });
    const silent = hub.groups.add('c1', 'g');
    const failing = hub.groups.add('c1', 'h');
    await trunk.next(18, 1);
    trunk.send({ type: MessageType.Ack, ackId: 2, status: 4, message: '' });
    await expect(failing).rejects.toMatchObject({ code: 'ack-timeout' });
    await expect(passing(clock, silent)).rejects.toThrow(/within 10 s/);
  });

  test('a lost server connection rejects at once, whoever awaits it', async () => {
    const { trunk, hub } = await serve(Acts);
    const joined = hub.groups.add('c1', 'g');
    void hub.groups.remove('c1', 'h');
    await trunk.next(18);
    trunk.socket.terminate();
    await expect(joined).rejects.toThrow(/was lost/);
  });
});
