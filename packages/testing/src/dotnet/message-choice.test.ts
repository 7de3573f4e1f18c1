import { MessageType } from '@trunkline/protocol';
import { describe, expect, it } from 'vitest';

import {
  data,
  MESSAGEPACK_HANDSHAKE,
  open,
  type ServiceSide,
} from './fake-service.test-support.ts';
import { settle } from './manual-clock.test-support.ts';
import { PROFILE_NAMES, type ProfileName } from './profiles.ts';
import { Scene } from './scene.test-support.ts';
import type { ClientProxy, Clients } from './sending/clients.ts';

const ALL = ['json', 'messagepack'];

/** ME on the first connection, in JSON; OTHER on the second, in MessagePack; REMOTE unknown. */
async function cast(profile: ProfileName) {
  const scene = await Scene.start({ profile, connections: 2 });
  const [s1, s2] = [await scene.side(0), await scene.side(1)];
  await scene.client('ME', { side: s1 });
  s2.write(open('OTHER', { protocol: 'messagepack' }), data('OTHER', MESSAGEPACK_HANDSHAKE));
  await s2.frame(MessageType.ConnectionData);
  const { clients, groups } = await scene.lend('ME', s1);
  return { scene, s1, s2, clients, groups };
}

/** What the call says on the wire: on which connection, which message, payloads by name. */
async function said(sides: readonly ServiceSide[], act: () => Promise<unknown>) {
  const before = sides.map((side) => side.messages.length);
  await act();
  await settle();
  return sides.flatMap((side, index) =>
    side.messages.slice(before[index]).map((message) => {
      const { payloads, ...fields } = message as { payloads?: ReadonlyMap<string, Uint8Array> };
      return { on: `S${index + 1}`, ...fields, payloads: [...(payloads ?? []).keys()] };
    }),
  );
}

const broadcast = (excludedConnectionIds: string[]) => ({
  on: 'S1',
  type: MessageType.BroadcastData,
  excludedConnectionIds,
  payloads: ALL,
});
const direct = (connectionIds: string[], payloads = ALL, on = 'S1') => ({
  on,
  type: MessageType.MultiConnectionData,
  connectionIds,
  payloads,
});
const toGroup = (excludedConnectionIds: string[]) => ({
  on: 'S1',
  type: MessageType.GroupBroadcastData,
  group: 'g',
  excludedConnectionIds,
  excludedUserIds: [],
  callerUserId: undefined,
  payloads: ALL,
});
const many = (type: number, fields: object) => ({ on: 'S1', type, ...fields, payloads: ALL });

/** Service protocol reference, section 20.5. */
const ROWS: readonly [string, (clients: Clients) => ClientProxy, object[]][] = [
  ['All', (clients) => clients.all, [broadcast([])]],
  ['AllExcept', (clients) => clients.allExcept(['x1', 'x2']), [broadcast(['x1', 'x2'])]],
  ['Others', (clients) => clients.others, [broadcast(['ME'])]],
  ['Caller', (clients) => clients.caller, [direct(['ME'], ['json'])]],
  ['Client(ME)', (clients) => clients.client('ME'), [direct(['ME'], ['json'])]],
  [
    'Client(OTHER)',
    (clients) => clients.client('OTHER'),
    [direct(['OTHER'], ['messagepack'], 'S2')],
  ],
  ['Client(REMOTE)', (clients) => clients.client('REMOTE'), [direct(['REMOTE'])]],
  ['Clients', (clients) => clients.clients(['ME', 'OTHER']), [direct(['ME', 'OTHER'])]],
  ['Group', (clients) => clients.group('g'), [toGroup([])]],
  ['GroupExcept', (clients) => clients.groupExcept('g', ['x1']), [toGroup(['x1'])]],
  ['OthersInGroup', (clients) => clients.othersInGroup('g'), [toGroup(['ME'])]],
  ['Groups', (clients) => clients.groups(['g', 'h']), [many(14, { groups: ['g', 'h'] })]],
  ['User', (clients) => clients.user('u'), [many(8, { userId: 'u' })]],
  ['Users', (clients) => clients.users(['u', 'v']), [many(9, { userIds: ['u', 'v'] })]],
  ['Clients of none', (clients) => clients.clients([]), []],
  ['Users of none', (clients) => clients.users([]), []],
  ['Groups of none', (clients) => clients.groups([]), []],
];

describe.each(PROFILE_NAMES)('messages of hub calls at %s', (profile) => {
  it.each(ROWS)('%s', async (_name, select, expected) => {
    const { scene, s1, s2, clients } = await cast(profile);
    await using _ = scene;
    expect(await said([s1, s2], () => select(clients).send('m', 1))).toEqual(expected);
  });

  it('Client(OTHER) of IHubContext goes by the connection of OTHER too', async () => {
    const { scene, s1, s2 } = await cast(profile);
    await using _ = scene;
    expect(await said([s1, s2], () => scene.hub.clients.client('OTHER').send('m'))).toEqual([
      direct(['OTHER'], ['messagepack'], 'S2'),
    ]);
  });

  it('writes json, then messagepack, each framed', async () => {
    const { scene, s1, clients } = await cast(profile);
    await using _ = scene;
    await clients.all.send('m', 'all');
    const { message } = await s1.frame(MessageType.BroadcastData);
    expect(
      [...message.payloads].map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')]),
    ).toEqual([
      ['json', Buffer.from('{"type":1,"target":"m","arguments":["all"]}\x1e').toString('hex')],
      ['messagepack', '0b950180c0a16d91a3616c6c'],
    ]);
  });

  it('adds to and removes from groups with acks counted from 1', async () => {
    const { scene, s1, s2, groups } = await cast(profile);
    await using _ = scene;
    const frames = await said([s1, s2], async () => {
      await groups.add('ME', 'g');
      await groups.remove('ME', 'g');
      await groups.add('ME', 'h');
    });
    const commands = frames.map(({ on: _on, ...command }) => command);
    expect(commands.sort((a, b) => Object(a).ackId - Object(b).ackId)).toEqual([
      { type: 18, connectionId: 'ME', group: 'g', ackId: 1, payloads: [] },
      { type: 19, connectionId: 'ME', group: 'g', ackId: 2, payloads: [] },
      { type: 18, connectionId: 'ME', group: 'h', ackId: 3, payloads: [] },
    ]);
  });

  it('keeps group commands to the connection of the caller at 1.34.0 alone', async () => {
    const { scene, s1, s2, groups } = await cast(profile);
    await using _ = scene;
    const frames = await said([s1, s2], async () => {
      for (let n = 0; n < 40; n++) await groups.add('ME', 'g');
    });
    const used = new Set(frames.map(({ on }) => on));
    expect([...used].sort()).toEqual(profile === '1.34.0' ? ['S1'] : ['S1', 'S2']);
  });

  it('keeps sends of one group to one connection outside hubs at 1.34.0 alone', async () => {
    const { scene, s1, s2 } = await cast(profile);
    await using _ = scene;
    const frames = await said([s1, s2], async () => {
      for (let n = 0; n < 40; n++) await scene.hub.clients.group('g').send('m', n);
    });
    expect(new Set(frames.map(({ on }) => on)).size).toBe(profile === '1.34.0' ? 1 : 2);
  });
});
