import { MessageType } from '@trunkline/protocol';
import { describe, expect, it } from 'vitest';

import {
  call,
  close,
  data,
  JSON_HANDSHAKE,
  MESSAGEPACK_HANDSHAKE,
  open,
  result,
} from './fake-service.test-support.ts';
import { messagepackProtocol } from './hub/messagepack-protocol.ts';
import { settle } from './manual-clock.test-support.ts';
import { PROFILE_NAMES } from './profiles.ts';
import { Scene } from './scene.test-support.ts';

const FROM_A = { headers: new Map([['Asrs-Migrate-From', ['srvA']]]) };
const FROM_A_BINARY = { ...FROM_A, protocol: 'messagepack' };
const ECHO = call('9', 'echo', 'moved');
const ECHO_RESULT = result('9', 'moved');
const BINARY_ECHO = messagepackProtocol.encode({
  type: 1,
  invocationId: '9',
  target: 'echo',
  arguments: ['moved'],
});
const BINARY_RESULT = messagepackProtocol.encode({ type: 3, invocationId: '9', result: 'moved' });

/**
 * Service protocol reference, section 20.9: what a server does with a client that was another's,
 * which the service alone remembers.
 */
describe.each(PROFILE_NAMES)('clients moved in at %s', (profile) => {
  it('(a) without the handshake: the call is taken for one, and 5 at once', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.side();
    side.write(open('c1', FROM_A), data('c1', ECHO));
    await side.closedClient('c1');
    expect(side.data('c1')).toEqual([]);
    expect(scene.events.all).toEqual([]);
  });

  it('(a) without the handshake, in messagepack: 5 after 15 s', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.side();
    side.write(open('c1', FROM_A_BINARY), data('c1', BINARY_ECHO));
    await settle();
    await scene.clock.advance(14_900);
    expect(side.messages.map(({ type }) => type)).toEqual([1, 3].slice(0, side.messages.length));
    await scene.clock.advance(200);
    await side.closedClient('c1');
    expect(side.data('c1')).toEqual([]);
  });

  it('(b) with the handshake and no header: its response is sent', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.side();
    side.write(open('c1'), data('c1', JSON_HANDSHAKE), data('c1', ECHO));
    await scene.data(side, 'c1', ECHO_RESULT);
    expect(side.data('c1').join('')).toBe(`{}\x1e${ECHO_RESULT}`);
    expect(side.dataMessages('c1')[0]!.dataType).toBe(profile === '1.34.0' ? 1 : undefined);
    expect(scene.events.all).toEqual([{ type: 'connected', id: 'c1' }]);
  });

  it('(b) with the handshake and no header, in messagepack', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.side();
    side.write(
      open('c1', { protocol: 'messagepack' }),
      data('c1', MESSAGEPACK_HANDSHAKE),
      data('c1', BINARY_ECHO),
    );
    await side.frame(MessageType.ConnectionData, ({ payload }) => payload.at(-1) !== 0x1e);
    const sent = Buffer.concat(side.dataMessages('c1').map(({ payload }) => payload));
    expect(sent).toEqual(Buffer.concat([Buffer.from('{}\x1e'), BINARY_RESULT]));
  });

  it('(c) with both: served, the response is swallowed', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.side();
    side.write(open('c1', FROM_A), data('c1', JSON_HANDSHAKE), data('c1', ECHO));
    await scene.data(side, 'c1', ECHO_RESULT);
    expect(side.data('c1')).toEqual([ECHO_RESULT]);
    expect(scene.events.all).toEqual([{ type: 'connected', id: 'c1' }]);
    const { context } = await scene.lend('c1', side);
    expect(context.migration).toEqual({ from: 'srvA', to: scene.app.serverId });
    expect([...context.items]).toEqual([]);
  });

  it('(c) with both, in messagepack', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.side();
    side.write(
      open('c1', FROM_A_BINARY),
      data('c1', MESSAGEPACK_HANDSHAKE),
      data('c1', BINARY_ECHO),
    );
    await side.frame(MessageType.ConnectionData);
    expect(Buffer.from(side.dataMessages('c1')[0]!.payload)).toEqual(BINARY_RESULT);
  });

  it.each([
    ['an empty header value', [open('c1', { headers: new Map([['Asrs-Migrate-From', ['']]]) })], 1],
    ['handshake and call in one message', [open('c1', FROM_A)], 1],
    ['the handshake in two pieces', [open('c1', FROM_A)], 2],
  ] as const)('(c) with %s', async (_name, opening, pieces) => {
    await using scene = await Scene.start({ profile });
    const side = await scene.side();
    side.write(...opening);
    const bytes = Buffer.concat([JSON_HANDSHAKE, Buffer.from(ECHO)]);
    const at = pieces === 1 ? bytes.length : 7;
    side.write(data('c1', bytes.subarray(0, at)));
    if (at < bytes.length) side.write(data('c1', bytes.subarray(at)));
    await scene.data(side, 'c1', ECHO_RESULT);
    expect(side.data('c1')).toEqual([ECHO_RESULT]);
  });

  it('(c) with the handshake 3 s late, and with one of version 2', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.side();
    side.write(open('c1', FROM_A));
    await settle();
    await scene.clock.advance(3_000);
    side.write(data('c1', '{"protocol":"json","version":2}\x1e'), data('c1', ECHO));
    await scene.data(side, 'c1', ECHO_RESULT);
    expect(side.data('c1')).toEqual([ECHO_RESULT]);
  });

  it('(c) and then moved out at once', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.side();
    const to = new Map([['Asrs-Migrate-To', ['srvC']]]);
    side.write(open('c1', FROM_A), data('c1', JSON_HANDSHAKE));
    side.write(close('c1', '', to));
    await scene.disconnected('c1');
    await settle();
    expect(side.messages.map(({ type }) => type)).toEqual([1]);
  });

  it('(c) with a handshake that cannot be served: 5 and nothing else', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.side();
    side.write(
      open('c1', { ...FROM_A, protocol: 'zzz' }),
      data('c1', '{"protocol":"zzz","version":1}\x1e'),
    );
    await side.closedClient('c1');
    expect(side.data('c1')).toEqual([]);
  });

  it('(c) and a greeting of OnConnected comes again, before everything else', async () => {
    await using scene = await Scene.start({
      profile,
      onConnected: ({ clients }) => clients.caller.send('welcome'),
    });
    const side = await scene.side();
    side.write(open('c1', FROM_A), data('c1', JSON_HANDSHAKE), data('c1', ECHO));
    await scene.data(side, 'c1', ECHO_RESULT);
    expect(side.messages.map(({ type }) => type)).toEqual([1, 7, 6]);
  });
});

/** The lower half of section 20.9, and the duplicate ids of 8.2. */
describe.each(PROFILE_NAMES)('ids in use at %s', (profile) => {
  it('a live id opened again: the old one dies of the handshake, the new one hears nothing', async () => {
    await using scene = await Scene.start({ profile, connections: 2 });
    const [s1, s2] = [await scene.client('c1'), await scene.side(1)];
    s2.write(open('c1', FROM_A), data('c1', JSON_HANDSHAKE), data('c1', ECHO));
    await s1.closedClient('c1');
    expect(scene.events.all.at(-1)).toMatchObject({ error: 'InvalidDataException' });
    await scene.clock.advance(14_900);
    expect(s2.messages.filter(({ type }) => type > 3)).toEqual([]);
    await scene.clock.advance(200);
    await s2.closedClient('c1');
    expect(s2.data('c1')).toEqual([]);
  });

  it('re-opened on another connection before the process has noticed the cut: both die', async () => {
    await using scene = await Scene.start({ profile, connections: 2 });
    const [s1, s2] = [await scene.client('c1'), await scene.side(1)];
    s2.write(open('c1', FROM_A), data('c1', JSON_HANDSHAKE), data('c1', ECHO));
    await settle();
    await s1.cut();
    await scene.clock.advance(15_100);
    await s2.closedClient('c1');
    expect(s2.data('c1')).toEqual([]);
  });

  it('re-opened once the replacement is there', async () => {
    await using scene = await Scene.start({ profile, connections: 2 });
    const [s1, s2] = [await scene.client('c1'), await scene.side(1)];
    await s1.cut();
    await (await scene.side(2)).frame(MessageType.HandshakeRequest);
    await scene.disconnected('c1');
    s2.write(open('c1', FROM_A), data('c1', JSON_HANDSHAKE), data('c1', ECHO));
    await scene.data(s2, 'c1', ECHO_RESULT);
    expect(s2.data('c1')).toEqual([ECHO_RESULT]);
  });

  it('re-opened while a slow OnDisconnected still runs: 1.15.2 forgets the new one then', async () => {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    await using scene = await Scene.start({
      profile,
      connections: 2,
      onDisconnected: () => released,
    });
    const [s1, s2] = [await scene.client('c1'), await scene.side(1)];
    await s1.cut();
    await scene.side(2);
    await scene.disconnected('c1');
    s2.write(open('c1', FROM_A), data('c1', JSON_HANDSHAKE), data('c1', ECHO));
    await scene.data(s2, 'c1', ECHO_RESULT);
    release();
    await settle();
    expect(await scene.answers('c1', s2)).toBe(profile === '1.34.0');
    expect(s2.messages.filter(({ type }) => type === 5)).toEqual([]);
    const dropped = profile === '1.34.0' ? [] : ['Connection c1 does not exist.'];
    expect(scene.logged.filter((line) => line.includes('c1'))).toEqual(dropped);
  });

  it('data is routed by id, whatever connection it comes on', async () => {
    await using scene = await Scene.start({ profile, connections: 2 });
    const [s1, s2] = [await scene.client('c1'), await scene.side(1)];
    s2.write(data('c1', ECHO));
    await scene.data(s1, 'c1', ECHO_RESULT);
    expect(s2.data('c1')).toEqual([]);
  });
});
