import { MessageType } from '@trunkline/protocol';
import { describe, expect, it } from 'vitest';

import { call, close, data } from './fake-service.test-support.ts';
import { settle } from './manual-clock.test-support.ts';
import { PROFILE_NAMES } from './profiles.ts';
import { Scene } from './scene.test-support.ts';

const CLOSE = '{"type":7}\x1e';
const CLOSE_FOR_NOW = '{"type":7,"allowReconnect":true}\x1e';
const CLOSE_WITH_ERROR =
  '{"type":7,"error":"Connection closed with an error.","allowReconnect":true}\x1e';

/** Service protocol reference, section 20.6. */
describe.each(PROFILE_NAMES)('closing at %s', (profile) => {
  const dataTypeOfClose = profile === '1.34.0' ? 4 : undefined;

  it.each([
    ['an empty error', '95 05 a26331 a0 80 80'],
    ['nil', '93 05 a26331 c0'],
    ['a text', '95 05 a26331 a3627965 80 80'],
  ])('by the service, with %s: a late close frame, no 5, no exception', async (_name, hex) => {
    await using scene = await Scene.start({ profile });
    const side = await scene.client('c1');
    const body = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    side.writeRaw(Buffer.concat([Buffer.of(body.length), body]));
    expect(await scene.disconnected('c1')).toMatchObject({ error: undefined });
    await scene.data(side, 'c1', CLOSE_FOR_NOW);
    await settle();
    expect(side.dataMessages('c1').at(-1)!.dataType).toBe(dataTypeOfClose);
    expect(side.messages.filter(({ type }) => type === 5)).toEqual([]);
  });

  it('by the service, without its second element: no effect', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.client('c1');
    side.writeRaw(Buffer.from('059205a26331', 'hex'));
    expect(await scene.answers('c1', side)).toBe(true);
  });

  it('by the service while a call runs: at once, and the call is never answered', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.client('c1');
    side.write(data('c1', call('1', 'hold')), close('c1'));
    await scene.disconnected('c1');
    await scene.data(side, 'c1', CLOSE_FOR_NOW);
    expect(side.data('c1').join('')).not.toContain('"type":3');
  });

  it('by the service that moves it: nothing is said', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.client('c1');
    const before = side.messages.length;
    side.write(close('c1', '', new Map([['Asrs-Migrate-To', ['srvB']]])));
    expect(await scene.disconnected('c1')).toMatchObject({ error: undefined });
    await settle();
    expect(side.messages.slice(before)).toEqual([]);
  });

  it('by Context.Abort, behind a send to the caller: 7, 6, 5', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.client('c1');
    const { clients, context } = await scene.lend('c1', side);
    const before = side.messages.length;
    await clients.caller.send('bye');
    context.abort();
    await side.closedClient('c1');
    expect(side.messages.slice(before).map(({ type }) => type)).toEqual([7, 6, 5]);
    expect(side.data('c1').at(-1)).toBe(CLOSE);
    expect(await scene.disconnected('c1')).toMatchObject({ error: undefined });
  });

  it('by the client itself', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.client('c1');
    side.write(data('c1', CLOSE));
    expect((await side.closedClient('c1')) as object).toMatchObject({
      message: { errorMessage: '' },
    });
    expect(side.data('c1').at(-1)).toBe(CLOSE);
    expect(await scene.disconnected('c1')).toMatchObject({ error: undefined });
  });

  it.each([
    ['junk', 'junk\x1e'],
    ['a message too long', `${'x'.repeat(40_000)}\x1e`],
  ])('for %s from the client', async (_name, bytes) => {
    await using scene = await Scene.start({ profile });
    const side = await scene.client('c1');
    side.write(data('c1', bytes));
    await side.closedClient('c1');
    expect(side.data('c1').at(-1)).toBe(CLOSE_WITH_ERROR);
    expect(await scene.disconnected('c1')).toMatchObject({ error: 'InvalidDataException' });
  });

  it('for silence, once the client has pinged', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.client('pings');
    await scene.client('silent');
    side.write(data('pings', '{"type":6}\x1e'));
    await settle();
    for (let pass = 0; pass < 5; pass++) {
      side.ping();
      await scene.clock.advance(10_000);
    }
    await side.closedClient('pings');
    expect(side.data('pings').at(-1)).toBe(CLOSE_WITH_ERROR);
    expect(await scene.disconnected('pings')).toMatchObject({
      error: 'OperationCanceledException',
    });
    expect(await scene.answers('silent', side)).toBe(true);
  });

  it('by an offline ping, for the clients of that instance, or all', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.client('c1');
    await scene.client('c2', { headers: new Map([['Asrs-Instance-Id', ['i2']]]) });
    side.ping('offline', 'i1');
    expect(await scene.disconnected('c1')).toMatchObject({ error: undefined });
    await scene.data(side, 'c1', CLOSE_FOR_NOW);
    expect(await scene.answers('c2', side)).toBe(true);
    side.ping('offline', '');
    await scene.disconnected('c2');
    expect(side.messages.filter(({ type }) => type === 5)).toEqual([]);
  });

  it('by the loss of its server connection', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.client('c1');
    await side.cut();
    expect(await scene.disconnected('c1')).toMatchObject({ error: undefined });
    const next = await scene.side(1);
    await next.frame(MessageType.HandshakeRequest);
    await settle();
    expect(next.messages.map(({ type }) => type)).toEqual([1]);
  });

  it('not by a ServiceError, but its clients go mute, and sends go elsewhere', async () => {
    await using scene = await Scene.start({ profile, connections: 2 });
    const side = await scene.client('c1');
    const other = await scene.side(1);
    side.write({ type: MessageType.ServiceError, errorMessage: 'too much' });
    const before = side.messages.length;
    expect(await scene.answers('c1', side)).toBe(false);
    await scene.clock.advance(3_000);
    expect(scene.events.all.map(({ type }) => type)).toEqual(['connected']);
    expect(side.messages).toHaveLength(before);
    await scene.hub.clients.all.send('m');
    await other.frame(MessageType.BroadcastData);
    side.write(data('c1', call('2', 'echo', 2)));
    await settle();
    // Only 1.34.0 has dropped it from its table, at the write that failed.
    expect(scene.logged).toEqual(profile === '1.34.0' ? ['Connection c1 does not exist.'] : []);
  });

  it('waits for OnDisconnected with its 5, and drops data for a client that is gone', async () => {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    await using scene = await Scene.start({ profile, onDisconnected: () => released });
    const side = await scene.client('c1');
    side.write(data('c1', CLOSE));
    await scene.disconnected('c1');
    await settle();
    expect(side.messages.filter(({ type }) => type === 5)).toEqual([]);
    release();
    await side.closedClient('c1');
    side.write(data('c1', call('1', 'echo', 1)));
    await settle();
    expect(scene.logged).toEqual(['Connection c1 does not exist.']);
  });
});
