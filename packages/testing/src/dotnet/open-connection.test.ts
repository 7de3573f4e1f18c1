import { NAME_IDENTIFIER } from '@trunkline/tokens';
import { describe, expect, it } from 'vitest';

import { close, data, JSON_HANDSHAKE, open } from './fake-service.test-support.ts';
import { frame } from './hex.test-support.ts';
import { settle } from './manual-clock.test-support.ts';
import { PROFILE_NAMES, type ProfileName } from './profiles.ts';
import { Scene } from './scene.test-support.ts';

const HANDSHAKE_RESPONSE = '{}\x1e';
const ROLE = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';

/** Opens c1 with these bytes, sends its handshake, and sees how that went. */
async function opened(profile: ProfileName, bytes: Uint8Array) {
  const scene = await Scene.start({ profile });
  const side = await scene.side();
  side.writeRaw(bytes);
  side.write(data('c1', JSON_HANDSHAKE));
  await settle();
  return { scene, side };
}

/** Service protocol reference, section 20.3. */
describe.each(PROFILE_NAMES)('OpenConnection at %s', (profile) => {
  it.each([
    ['in full', '96 04 a26331 80 80 a0 81 03 a46a736f6e'],
    ['with a seventh element', '97 04 a26331 80 80 a0 81 03 a46a736f6e a178'],
    ['with an unknown extension', '96 04 a26331 80 80 a0 82 03 a46a736f6e 63 a178'],
    ['with nil for its query', '96 04 a26331 80 80 c0 81 03 a46a736f6e'],
    ['with a query without ?', '96 04 a26331 80 80 a3613d62 81 03 a46a736f6e'],
  ])('is served %s', async (_name, hex) => {
    const { scene, side } = await opened(profile, frame(hex));
    await using _ = scene;
    expect(side.data('c1')).toEqual([HANDSHAKE_RESPONSE]);
    expect(await scene.answers('c1', side)).toBe(true);
  });

  it.each([
    ['no extensions', '96 04 a26331 80 80 a0 80'],
    ['no extension map', '95 04 a26331 80 80 a0'],
    ['nil for its protocol', '96 04 a26331 80 80 a0 81 03 c0'],
    ['claims only', '93 04 a26331 80'],
  ])('with %s is lost in silence by 1.34.0 alone', async (_name, hex) => {
    const { scene, side } = await opened(profile, frame(hex));
    await using _ = scene;
    const served = profile === '1.15.2';
    expect(side.data('c1')).toEqual(served ? [HANDSHAKE_RESPONSE] : []);
    expect(await scene.answers('c1', side)).toBe(served);
    if (served) return;
    expect(scene.logged.join('\n')).toContain('ArgumentNullException');
    // Not for ever: the id is free again once the service has closed it.
    side.write(close('c1'));
    await scene.client('c1');
    expect(await scene.answers('c1', side)).toBe(true);
  });

  it.each([
    ['of an unknown name', '96 04 a26331 80 80 a0 81 03 a37a7a7a'],
    ["not the client's", '96 04 a26331 80 80 a0 81 03 ab6d6573736167657061636b'],
  ])('with a protocol %s is mute behind its handshake at 1.34.0 alone', async (_name, hex) => {
    const { scene, side } = await opened(profile, frame(hex));
    await using _ = scene;
    expect(side.data('c1')).toEqual([HANDSHAKE_RESPONSE]);
    expect(scene.events.all).toEqual([{ type: 'connected', id: 'c1' }]);
    expect(await scene.answers('c1', side)).toBe(profile === '1.15.2');
    expect(side.messages.filter(({ type }) => type === 5)).toEqual([]);
  });

  it.each([
    ['claims', '96 04 a26331 c0 80 a0 81 03 a46a736f6e'],
    ['headers', '96 04 a26331 80 c0 a0 81 03 a46a736f6e'],
    ['headers told apart by case only', '96 04 a26331 80 82 a161 90 a141 90 a0 81 03 a46a736f6e'],
  ])('with nil for %s, or the like, is lost, and its data goes nowhere', async (_name, hex) => {
    const { scene, side } = await opened(profile, frame(hex));
    await using _ = scene;
    expect(side.messages.map(({ type }) => type)).toEqual([1]);
    expect(scene.logged.at(-1)).toBe('Connection c1 does not exist.');
    await scene.client('c2');
    expect(await scene.answers('c2', side)).toBe(true);
  });

  it('rebuilds the user from its claims', async () => {
    await using scene = await Scene.start({ profile });
    const claims = [
      [ROLE, 'r1'],
      [ROLE, 'r2'],
      ['asrs.s.aut', 'x'],
      ['asrs.u.iss', 'me'],
      ['aud', 'a'],
      ['exp', '1'],
      ['iat', '1'],
      ['asrs.s.sn', 's'],
      [NAME_IDENTIFIER, 'alice'],
    ] as const;
    const side = await scene.client('c1', { claims });
    const { user } = (await scene.lend('c1', side)).context;
    expect(user.claims).toEqual([
      [ROLE, 'r1'],
      [ROLE, 'r2'],
      ['iss', 'me'],
      [NAME_IDENTIFIER, 'alice'],
    ]);
    expect(user).toMatchObject({ authenticationType: 'x', userIdentifier: 'alice' });
    expect(user.isInRole('r2')).toBe(true);
    expect(user.isInRole('r3')).toBe(false);
  });

  it.each([
    ['nothing', [], null],
    ['asrs.s.uid only', [['asrs.s.uid', 'bob']] as const, profile === '1.34.0' ? 'bob' : null],
  ])('knows of a user with %s', async (_name, claims, userIdentifier) => {
    await using scene = await Scene.start({ profile });
    const side = await scene.client('c1', { claims });
    const { user } = (await scene.lend('c1', side)).context;
    expect(user).toMatchObject({ isAuthenticated: false, userIdentifier });
  });

  it.each([
    ['9.8.7.6, 1.1.1.1', '9.8.7.6'],
    ['junk', undefined],
  ])('takes the address from X-Forwarded-For: %s', async (value, address) => {
    await using scene = await Scene.start({ profile });
    const side = await scene.client('c1', { headers: new Map([['X-Forwarded-For', [value]]]) });
    expect((await scene.lend('c1', side)).context.remoteAddress).toBe(address);
  });

  it('answers with the handshake first, or with a send of OnConnected before it', async () => {
    await using scene = await Scene.start({
      profile,
      onConnected: ({ clients }) => clients.caller.send('hello'),
    });
    const side = await scene.client('c1');
    expect(side.messages.map(({ type }) => type)).toEqual([1, 7, 6]);
  });

  it('refuses a hub protocol it does not know, and a handshake that never comes', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.side();
    side.write(open('c1', { protocol: 'zzz' }), data('c1', '{"protocol":"zzz","version":1}\x1e'));
    await side.closedClient('c1');
    expect(side.data('c1')).toEqual([`{"error":"The protocol 'zzz' is not supported."}\x1e`]);
    side.write(open('c2'));
    await settle();
    await scene.clock.advance(14_900);
    expect(side.data('c2')).toEqual([]);
    await scene.clock.advance(200);
    await side.closedClient('c2');
    expect(side.data('c2')).toEqual(['{"error":"Handshake was canceled."}\x1e']);
  });
});
