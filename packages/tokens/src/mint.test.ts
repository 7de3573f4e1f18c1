import { describe, expect, it } from 'vitest';
import { AccessKeys, MAX_TOKEN_LENGTH } from './index.ts';
import { NAME_IDENTIFIER } from './claim-types.ts';
import { mintClientToken, mintedPayload, mintRestToken, TokenTooLongError } from './mint.ts';
import type { ClientTokenOptions } from './mint.ts';
import { ClaimError } from './user-claims.ts';
import { verifyToken } from './verify.ts';

const NOW = 1_711_000_000;
const keys = new AccessKeys(['key']);
const tail = `"nbf":${NOW},"exp":${NOW + 3600},"iat":${NOW},"aud":"http://h/client/?hub=chat"}`;

interface Times {
  readonly nbf: number;
  readonly exp: number;
}

function mint(o: Partial<ClientTokenOptions>): string {
  return mintClientToken({
    key: keys.first,
    audienceBase: 'http://h/',
    hub: 'chat',
    now: NOW,
    ...o,
  });
}

/** The payload of a client token, in the order it was written. */
function payloadOf(o: Partial<ClientTokenOptions>): string {
  const verified = verifyToken(mint(o), { keys, use: 'client', hub: 'chat', now: NOW });
  if (typeof verified === 'string') throw new Error(verified);
  return verified.payload;
}

describe('mintClientToken', () => {
  it('writes times and audience only for an anonymous client', () => {
    expect(payloadOf({})).toBe(`{${tail}`);
  });

  it('writes what the .NET SDK writes for a user with roles', () => {
    const claims = { unique_name: 'Name alice', role: ['r1', 'r2'], custom: 'é' };
    expect(payloadOf({ userId: 'alice', system: { authenticationType: 'x' }, claims })).toBe(
      `{"asrs.s.uid":"alice","asrs.s.aut":"x","unique_name":"Name alice","role":["r1","r2"],"custom":"é",${tail}`,
    );
  });

  it('writes every system claim, in the documented order, as text', () => {
    const system = {
      closeOnAuthExpirationAt: 5,
      transports: 3,
      pollIntervalSeconds: 30,
      roleClaimType: 'rt',
      nameClaimType: 'nt',
      detailedErrors: true,
      authenticationType: 'x',
      handshakeTimeoutSeconds: 20,
      diagnostic: true,
      sticky: 'Required',
      serverName: 'srv',
    } as const;
    expect(payloadOf({ userId: '', system })).toBe(
      '{"asrs.s.uid":"","asrs.s.sn":"srv","asrs.s.ssticky":"Required","asrs.s.dc":"true",' +
        '"asrs.s.cht":"20","asrs.s.aut":"x","asrs.s.derror":"True","asrs.s.nt":"nt",' +
        '"asrs.s.rt":"rt","asrs.s.ttl":"30","asrs.s.htt":"3","asrs.s.coae":"true",' +
        `"asrs.s.aeo":"5",${tail}`,
    );
  });

  it('leaves out what is the default', () => {
    const system = {
      sticky: 'Disabled',
      serverName: 'srv',
      diagnostic: false,
      detailedErrors: false,
      handshakeTimeoutSeconds: 15,
      authenticationType: 'Bearer',
    } as const;
    expect(payloadOf({ system })).toBe(`{${tail}`);
    expect(payloadOf({ system: { sticky: 'Required' } })).toBe(`{${tail}`);
    expect(payloadOf({ system: { serverName: 'srv' } })).toBe(`{${tail}`);
  });

  it('renames what would not come back under its name', () => {
    const claims = {
      sub: ['a', 'b'],
      roles: 'r',
      iss: 'me',
      'asrs.u.x': 1,
      [NAME_IDENTIFIER]: 'c',
    };
    expect(payloadOf({ claims })).toBe(
      `{"asrs.s.uid":"a","asrs.u.sub":["a","b"],"asrs.u.roles":"r","asrs.u.iss":"me","asrs.u.asrs.u.x":1,"asrs.u.${NAME_IDENTIFIER}":"c",${tail}`,
    );
  });

  it('takes the user from the first name identifier, unless it is told', () => {
    const claims = { role: 'r', nameid: 7, sub: 'b' };
    expect(payloadOf({ claims })).toContain('{"asrs.s.uid":"7","role"');
    expect(payloadOf({ claims, userId: 'me' })).toContain('{"asrs.s.uid":"me","role"');
    expect(payloadOf({ claims, userId: null as never })).toContain('{"asrs.s.uid":"7","role"');
  });

  it('does not let claims speak for the service', () => {
    expect(payloadOf({ claims: { 'asrs.s.uid': 'root', exp: 9e9 }, userId: 'me' })).toBe(
      `{"asrs.s.uid":"me","asrs.u.exp":9000000000,${tail}`,
    );
  });

  it('refuses a token longer than 4,096 characters', () => {
    const withText = (length: number) =>
      mint({ algorithm: 'HS512', claims: { text: 'x'.repeat(length) } });
    const spare = MAX_TOKEN_LENGTH - withText(0).length;
    const fits = Math.floor((spare * 3) / 4);
    expect(withText(fits)).toHaveLength(MAX_TOKEN_LENGTH);
    expect(() => withText(fits + 1)).toThrow(TokenTooLongError);
    expect(() => withText(fits + 1)).toThrow('AccessToken must not be longer than 4K.');
  });

  it('is good from now on, for an hour, unless it is told when', () => {
    const before = Math.floor(Date.now() / 1000);
    const { nbf, exp } = JSON.parse(mintedPayload(mint({ now: undefined }))) as Times;
    expect(nbf).toBeGreaterThanOrEqual(before);
    expect(nbf).toBeLessThanOrEqual(Date.now() / 1000);
    expect(exp).toBe(nbf + 3600);
  });

  it('lives as long as it is told, signed as it is told', () => {
    expect(payloadOf({ lifetimeSeconds: 60 })).toContain(`"exp":${NOW + 60}`);
    const header = mint({ algorithm: 'HS512' }).split('.')[0] ?? '';
    expect(Buffer.from(header, 'base64url').toString()).toBe(
      `{"alg":"HS512","typ":"JWT","kid":"${keys.first.kid}"}`,
    );
  });

  it.each([
    [7, '7'],
    [{}, 'an object'],
    [Symbol('s'), 'a symbol'],
  ])('refuses %o as the user', (userId, text) => {
    expect(() => mint({ userId: userId as never })).toThrow(
      new ClaimError(`userId must be a string, not ${text}`),
    );
  });

  it('refuses an end that is no time', () => {
    expect(() => mint({ system: { closeOnAuthExpirationAt: NaN } })).toThrow(ClaimError);
  });
});

describe('mintRestToken', () => {
  it('carries the audience as given, and the server id when there is one', () => {
    const audience = 'http://h/api/hubs/chat';
    for (const serverId of [undefined, 's1']) {
      const token = mintRestToken({ key: 'key', audience, serverId, now: NOW });
      const path = '/api/hubs/chat';
      const verified = verifyToken(token, { keys, use: 'rest', hub: 'chat', path, now: NOW });
      const payload = typeof verified === 'string' ? verified : JSON.parse(verified.payload);
      expect(payload).toEqual({
        ...(serverId === undefined ? {} : { nameid: serverId }),
        nbf: NOW,
        exp: NOW + 3600,
        iat: NOW,
        aud: audience,
      });
    }
  });
});
