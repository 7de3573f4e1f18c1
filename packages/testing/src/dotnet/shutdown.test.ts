import { MessageType } from '@trunkline/protocol';
import { describe, expect, it } from 'vitest';

import { call, close, data, result, type ServiceSide } from './fake-service.test-support.ts';
import { method } from './hub/definition.ts';
import { settle } from './manual-clock.test-support.ts';
import { PROFILE_NAMES } from './profiles.ts';
import { Scene } from './scene.test-support.ts';

const CLOSE_FOR_NOW = '{"type":7,"allowReconnect":true}\x1e';
const TO_ANOTHER = new Map([['Asrs-Migrate-To', ['srvB']]]);

const fins = (side: ServiceSide): string[] =>
  side.messages.flatMap((message) =>
    message.type === MessageType.Ping && message.entries[0] === 'shutdown'
      ? message.entries.slice(1)
      : [],
  );

/** Stops the app; tells whether it has ended. */
function stopping(scene: Scene): { ended: boolean; done: Promise<void> } {
  const state = { ended: false, done: scene.app.stop() };
  void state.done.then(() => (state.ended = true));
  return state;
}

/** Service protocol reference, sections 7.5 and 20.8. */
describe('shutdown in mode Off', () => {
  it('at 1.34.0: fin:0, then a close frame for each client and no 5, then 1000', async () => {
    await using scene = await Scene.start({ connections: 2 });
    const [side, other] = [await scene.client('c1'), await scene.side(1)];
    await scene.app.stop();
    expect([await side.closed, await other.closed]).toEqual([1000, 1000]);
    expect([fins(side), fins(other)]).toEqual([['fin:0'], ['fin:0']]);
    expect(side.messages.map(({ type }) => type)).toEqual([1, 6, 3, 6]);
    expect(side.data('c1').at(-1)).toBe(CLOSE_FOR_NOW);
    expect(scene.events.all.at(-1)).toEqual({ type: 'disconnected', id: 'c1', error: undefined });
    expect(scene.service.attempts).toBe(2);
  });

  it('at 1.34.0 without finack: again every 5 s, and no close frames after 30', async () => {
    await using scene = await Scene.start();
    scene.service.answers.finacks = false;
    const side = await scene.client('c1');
    const state = stopping(scene);
    for (let second = 1; second < 30; second++) {
      await scene.clock.advance(1_000);
      side.ping();
    }
    expect(fins(side)).toEqual(Array(6).fill('fin:0'));
    expect(state.ended).toBe(false);
    await scene.clock.advance(1_000);
    await state.done;
    expect(await side.closed).toBe(1000);
    expect(side.data('c1').join('')).not.toContain('"type":7');
    expect(scene.logged).toContain('Timeout: existing client connections will be dropped.');
  });

  it('at 1.34.0 drops a call that runs without a completion', async () => {
    await using scene = await Scene.start();
    const side = await scene.client('c1');
    side.write(data('c1', call('1', 'hold')));
    await settle();
    await scene.app.stop();
    await side.closed;
    expect(side.data('c1')).toEqual(['{}\x1e', CLOSE_FOR_NOW]);
  });

  it('at 1.15.2: the sockets drop without a word', async () => {
    await using scene = await Scene.start({ profile: '1.15.2' });
    const side = await scene.client('c1');
    await scene.app.stop();
    expect(await side.closed).toBe(1006);
    expect(side.messages.map(({ type }) => type)).toEqual([1, 6]);
  });
});

describe.each(PROFILE_NAMES)('graceful shutdown at %s', (profile) => {
  it('waits for clients to close, and serves them meanwhile', async () => {
    await using scene = await Scene.start({ profile, shutdown: 'WaitForClientsClose' });
    const side = await scene.client('c1');
    const [request] = side.messages;
    expect(request).toMatchObject({ migrationLevel: 0 });
    const state = stopping(scene);
    await settle();
    expect(fins(side)).toEqual(['fin:2']);
    expect(await scene.answers('c1', side)).toBe(true);
    await scene.clock.advance(10_000);
    side.ping();
    await settle();
    expect(side.messages).toContainEqual({
      type: MessageType.Ping,
      entries: ['#clientInHub', '1', '#client', '1'],
    });
    expect(side.messages).toContainEqual({ type: MessageType.Ping, entries: ['status', '1'] });
    expect(state.ended).toBe(false);
    side.write(close('c1'));
    await state.done;
    expect(await side.closed).toBe(1000);
  });

  it('asks for its clients to be moved, and ends when none is left', async () => {
    await using scene = await Scene.start({ profile, shutdown: 'MigrateClients' });
    const side = await scene.client('c1');
    await scene.client('c2');
    expect(side.messages[0]).toMatchObject({ migrationLevel: 1 });
    const state = stopping(scene);
    await settle();
    expect(fins(side)).toEqual(['fin:1']);
    side.write(close('c1', '', TO_ANOTHER));
    await scene.disconnected('c1');
    await settle();
    expect(state.ended).toBe(false);
    side.write(close('c2', '', TO_ANOTHER));
    await state.done;
    expect(await side.closed).toBe(1000);
    expect(side.messages.filter(({ type }) => type === 5)).toEqual([]);
  });

  it('lets calls finish until a client is moved, and never after', async () => {
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => (finish = resolve));
    await using scene = await Scene.start({
      profile,
      shutdown: 'MigrateClients',
      methods: { wait: method((_call) => finished) },
    });
    const side = await scene.client('c1');
    await scene.client('c2');
    for (const id of ['c1', 'c2']) side.write(data(id, call('1', 'wait')));
    await settle();
    const state = stopping(scene);
    await settle();
    side.write(close('c2', '', TO_ANOTHER));
    await scene.disconnected('c2');
    finish();
    await scene.data(side, 'c1', result('1', null));
    side.write(close('c1', '', TO_ANOTHER));
    await state.done;
    expect(side.data('c2')).toEqual(['{}\x1e']);
  });

  it.each(['WaitForClientsClose', 'MigrateClients'] as const)(
    'is over after 30 s in mode %s, with 1000 and no 5',
    async (shutdown) => {
      await using scene = await Scene.start({ profile, shutdown });
      const side = await scene.client('c1');
      const state = stopping(scene);
      for (let second = 1; second < 30; second++) {
        await scene.clock.advance(1_000);
        side.ping();
      }
      expect(state.ended).toBe(false);
      expect(fins(side)).toHaveLength(1);
      await scene.clock.advance(1_000);
      await state.done;
      expect(await side.closed).toBe(1000);
      expect(side.messages.filter(({ type }) => type === 5)).toEqual([]);
    },
  );
});
