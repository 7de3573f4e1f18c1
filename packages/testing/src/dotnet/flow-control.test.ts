import { FlowControlOperation, FlowControlTarget, MessageType } from '@trunkline/protocol';
import { describe, expect, it } from 'vitest';

import { call, data, result } from './fake-service.test-support.ts';
import { settle } from './manual-clock.test-support.ts';
import { PROFILE_NAMES } from './profiles.ts';
import { Scene } from './scene.test-support.ts';

const { Pause, PauseAck, Resume, Offline } = FlowControlOperation;
const { Client, Server } = FlowControlTarget;

const control = (connectionId: string, connectionType: number, operation: number) =>
  ({ type: MessageType.ConnectionFlowControl, connectionId, connectionType, operation }) as const;

/** Service protocol reference, section 18.3. */
describe('flow control at 1.34.0', () => {
  it('moves a client between connections of one process, with what it keeps', async () => {
    await using scene = await Scene.start({ connections: 2 });
    const [s1, s2] = [await scene.client('c1'), await scene.side(1)];
    s1.write(data('c1', call('1', 'keep', 'x')), control('c1', Client, Pause));
    const ack = await s1.frame(MessageType.ConnectionFlowControl);
    expect(ack.message.operation).toBe(PauseAck);
    s1.write(data('c1', call('2', 'echo', 'held')));
    await settle();
    expect(s1.data('c1').join('')).not.toContain('held');
    s2.write(control('c1', Client, Resume));
    await scene.data(s2, 'c1', result('2', 'held'));
    await s1.cut();
    s2.write(data('c1', call('3', 'items')));
    await scene.data(s2, 'c1', result('3', ['x']));
    expect(scene.events.all.map(({ type }) => type)).toEqual(['connected']);
  });

  it('writes no more on a connection that the service takes offline', async () => {
    await using scene = await Scene.start({ connections: 2 });
    const [s1, s2] = [await scene.side(0), await scene.side(1)];
    s1.write(control(s1.cid, Server, Offline));
    await settle();
    for (let n = 0; n < 20; n++) await scene.hub.clients.all.send('m', n);
    await settle();
    expect(s2.messages.filter(({ type }) => type === 10)).toHaveLength(20);
    expect(s1.messages.map(({ type }) => type)).toEqual([1]);
  });
});

describe('flow control at 1.15.2', () => {
  it('is passed over', async () => {
    await using scene = await Scene.start({ profile: '1.15.2', connections: 2 });
    const [s1, s2] = [await scene.client('c1'), await scene.side(1)];
    s1.write(control('c1', Client, Pause));
    expect(await scene.answers('c1', s1)).toBe(true);
    s2.write(control('c1', Client, Resume));
    expect(await scene.answers('c1', s1)).toBe(true);
    expect(s1.messages.filter(({ type }) => type === 39)).toEqual([]);
    await s1.cut();
    await scene.disconnected('c1');
  });
});

/** Service protocol reference, section 18.4. */
describe.each(PROFILE_NAMES)('partial data at %s', (profile) => {
  it('is fed whole, and forgotten when the client comes back', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.client('c1');
    const text = call('1', 'echo', 'whole');
    side.write(data('c1', text.slice(0, 10), { partial: true }), data('c1', text.slice(10)));
    await scene.data(side, 'c1', result('1', 'whole'));
    side.write(data('c1', text.slice(0, 10), { partial: true }));
    side.write({ type: MessageType.ConnectionReconnect, connectionId: 'c1' });
    side.write(data('c1', call('2', 'echo', 'again')));
    await settle();
    // Only its bytes count at 1.15.2, and half a message is in the way.
    const isServed = side.data('c1').join('').endsWith(result('2', 'again'));
    const isClosed = side.messages.some(({ type }) => type === MessageType.CloseConnection);
    expect({ isServed, isClosed }).toEqual({
      isServed: profile === '1.34.0',
      isClosed: profile === '1.15.2',
    });
  });
});
