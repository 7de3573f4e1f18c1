import { createHmac, generateKeyPairSync } from 'node:crypto';
import * as fc from 'fast-check';
import jwt from 'jsonwebtoken';
import { describe, expect, it } from 'vitest';
import { AccessKeys, MAX_TOKEN_LENGTH } from './index.ts';
import { mintClientToken, mintRestToken, mintServerToken } from './mint.ts';
import { bearerToken, verifyToken } from './verify.ts';
import type { VerifyOptions } from './verify.ts';

const NOW = 1_711_000_000;
const KEY = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH';
const keys = new AccessKeys([KEY, 'the-second-key']);
const audienceBase = 'http://localhost/';

const forClient: VerifyOptions = { keys, use: 'client', hub: 'chat', now: NOW };
const forServer: VerifyOptions = { keys, use: 'server', hub: 'chat', now: NOW };

function forRest(path: string): VerifyOptions {
  return { keys, use: 'rest', hub: 'chat', path, now: NOW };
}

/** A token with exactly this payload and header, signed with the first key. */
function handMade(payload: string, header: object = { alg: 'HS256', typ: 'JWT' }): string {
  const parts = [JSON.stringify(header), payload].map((part) => base64url(part)).join('.');
  return `${parts}.${createHmac('sha256', KEY).update(parts).digest('base64url')}`;
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function clientClaims(more: object = {}): string {
  return JSON.stringify({ exp: NOW + 60, aud: 'http://h/client/?hub=chat', ...more });
}

describe('the documented vector', () => {
  const header = '{"alg":"HS256","typ":"JWT","kid":"-1234567"}';
  const payload =
    '{"nameid":"host1_0f8fad5bd9cb469fa16570867728950e","nbf":1711000000,"exp":1711003600,"iat":1711000000,"aud":"http://localhost/server/?hub=chat"}';
  const vector = `${base64url(header)}.${base64url(payload)}.7DN-P4GJeYrsm8JAeq6hy0DfnRiUNMDdjdEi-AX16OE`;

  it('verifies', () => {
    expect(verifyToken(vector, forServer)).toEqual({ payload, expiresAt: 1_711_003_600 });
  });

  it('is what we mint, byte for byte', () => {
    const token = mintServerToken({
      key: { ...keys.first, kid: '-1234567' },
      audienceBase,
      hub: 'chat',
      serverId: 'host1_0f8fad5bd9cb469fa16570867728950e',
      now: NOW,
    });
    expect(token).toBe(vector);
  });
});

describe('what is accepted', () => {
  it.each(['HS256', 'HS512'] as const)('%s with either key, whatever kid says', (algorithm) => {
    for (const key of [KEY, 'the-second-key']) {
      const token = mintClientToken({ key, audienceBase, hub: 'chat', now: NOW, algorithm });
      expect(verifyToken(token, forClient)).toMatchObject({ expiresAt: NOW + 3600 });
    }
  });

  it.each([
    'https://elsewhere:1234/client/?hub=chat',
    'http://h/client?hub=CHAT',
    'http://h/client/?other=1&hub=chat',
  ])('audience %s', (aud) => {
    expect(verifyToken(handMade(clientClaims({ aud })), forClient)).toBeTypeOf('object');
  });

  it('an array of audiences that holds the right one', () => {
    const aud = ['http://h/', 7, 'http://h/client/?hub=chat'];
    expect(verifyToken(handMade(clientClaims({ aud })), forClient)).toBeTypeOf('object');
  });

  it('a generic hub, its backtick encoded or not', () => {
    const options = { ...forClient, hub: 'chat`1' };
    for (const aud of ['http://h/client/?hub=Chat`1', 'http://h/client/?hub=chat%601']) {
      expect(verifyToken(handMade(clientClaims({ aud })), options)).toBeTypeOf('object');
    }
  });

  it('any iat and iss, and no exp', () => {
    const claims = { iat: NOW + 9e9, iss: 'anyone', exp: undefined };
    const verified = verifyToken(handMade(clientClaims(claims)), forClient);
    expect(verified).toMatchObject({ expiresAt: Infinity });
  });

  it('a header without typ', () => {
    const token = handMade(clientClaims(), { alg: 'HS256' });
    expect(verifyToken(token, forClient)).toBeTypeOf('object');
  });

  it('a payload beyond ASCII, kept as it was written', () => {
    const payload = clientClaims({ name: 'Zoë 日本 🚋' });
    expect(verifyToken(handMade(payload), forClient)).toMatchObject({ payload });
  });
});

describe('times', () => {
  it('holds exp to the second', () => {
    const at = (exp: number) => verifyToken(handMade(clientClaims({ exp })), forClient);
    expect(at(NOW + 1)).toMatchObject({ expiresAt: NOW + 1 });
    expect(at(NOW)).toBe('expired');
    expect(at(NOW - 600)).toBe('expired');
  });

  it('gives nbf five minutes of skew', () => {
    const at = (nbf: number) => verifyToken(handMade(clientClaims({ nbf })), forClient);
    expect(at(NOW + 300)).toBeTypeOf('object');
    expect(at(NOW + 301)).toBe('not-yet-valid');
  });
});

describe('what is refused', () => {
  const good = mintClientToken({ key: KEY, audienceBase, hub: 'chat', now: NOW });
  const [header = '', body = '', signature = ''] = good.split('.');
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const serverToken = mintServerToken({
    key: KEY,
    audienceBase,
    hub: 'chat',
    serverId: 's',
    now: NOW,
  });
  const restToken = mintRestToken({ key: KEY, audience: 'http://h/api/hubs/chat', now: NOW });

  it.each([
    ['nothing', '', 'missing'],
    ['garbage', 'garbage', 'malformed'],
    ['dots', '..', 'malformed'],
    ['a truncated token', good.slice(0, -1), 'signature'],
    ['a token without signature', `${header}.${body}.`, 'signature'],
    ['a token without its last part', `${header}.${body}`, 'malformed'],
    ['a fourth part', `${good}.x`, 'malformed'],
    ['a blank in front', ` ${good}`, 'signature'],
    ['a padded signature', `${good}=`, 'signature'],
    ['a broken header', `e30x.${body}.${signature}`, 'malformed'],
    ['a header without alg', handMade(clientClaims(), {}), 'malformed'],
    ['alg none', `${base64url('{"alg":"none"}')}.${body}.`, 'algorithm'],
    ['alg none with a signature', handMade(clientClaims(), { alg: 'none' }), 'algorithm'],
    ['alg None', handMade(clientClaims(), { alg: 'None' }), 'algorithm'],
    ['alg HS384', jwt.sign(JSON.parse(clientClaims()), KEY, { algorithm: 'HS384' }), 'algorithm'],
    ['RS256', jwt.sign(clientClaims(), rsa.privateKey, { algorithm: 'RS256' }), 'algorithm'],
    ['alg as a number', handMade(clientClaims(), { alg: 256 }), 'algorithm'],
    ['HS256 called HS512', handMade(clientClaims(), { alg: 'HS512' }), 'signature'],
    [
      'another key',
      mintClientToken({ key: 'x', audienceBase, hub: 'chat', now: NOW }),
      'signature',
    ],
    ['a changed payload', `${header}.${base64url(clientClaims())}.${signature}`, 'signature'],
    [
      'another hub',
      mintClientToken({ key: KEY, audienceBase, hub: 'other', now: NOW }),
      'audience',
    ],
    ['a server token', serverToken, 'audience'],
    ['a REST token', restToken, 'audience'],
    ['no audience', handMade(clientClaims({ aud: undefined })), 'audience'],
    ['an audience that is no URL', handMade(clientClaims({ aud: 'chat' })), 'audience'],
    ['an audience without hub', handMade(clientClaims({ aud: 'http://h/client/' })), 'audience'],
    ['a deeper path', handMade(clientClaims({ aud: 'http://h/x/client/?hub=chat' })), 'audience'],
    ['exp as text', handMade(clientClaims({ exp: '9999999999' })), 'malformed'],
    ['exp null', handMade(clientClaims({ exp: null })), 'malformed'],
    ['nbf as text', handMade(clientClaims({ nbf: '0' })), 'malformed'],
    ['a payload that is an array', handMade('[]'), 'malformed'],
    ['a payload that is null', handMade('null'), 'malformed'],
    ['a payload that is no JSON', handMade('{'), 'malformed'],
    ['JSON inside JSON', handMade(JSON.stringify(clientClaims())), 'malformed'],
    ['a huge token', `${good}${'x'.repeat(MAX_TOKEN_LENGTH)}`, 'oversized'],
    ['4,097 characters', 'x'.repeat(MAX_TOKEN_LENGTH + 1), 'oversized'],
    ['4,096 characters of nonsense', 'x'.repeat(MAX_TOKEN_LENGTH), 'malformed'],
  ])('%s', (_, token, rejection) => {
    expect(verifyToken(token, forClient)).toBe(rejection);
  });

  it('a client token at /server/ and at /api/', () => {
    expect(verifyToken(good, forServer)).toBe('audience');
    expect(verifyToken(good, forRest('/client/'))).toBe('audience');
    expect(verifyToken(good, forRest('/api/hubs/chat'))).toBe('audience');
  });

  it('anything at all, without throwing', () => {
    const part = fc.oneof(fc.base64String(), fc.string(), fc.json().map(base64url));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
        expect(verifyToken(parts.join('.'), forClient)).toBeTypeOf('string');
      }),
    );
  });

  it('any token with one character changed', () => {
    fc.assert(
      fc.property(
        fc.nat(good.length - 1),
        fc.constantFrom('a', 'Z', '9', '-', '_', '.', '='),
        (at, character) => {
          fc.pre(good[at] !== character);
          const changed = good.slice(0, at) + character + good.slice(at + 1);
          expect(verifyToken(changed, forClient)).toBeTypeOf('string');
        },
      ),
    );
  });
});

describe('REST audiences', () => {
  function verify(audience: string, path: string): unknown {
    return verifyToken(mintRestToken({ key: KEY, audience, now: NOW }), forRest(path));
  }

  it.each([
    ['https://h/api/hubs/chat/users/1', '/api/hubs/chat/users/1'],
    ['http://h/api/hubs/chat/users/1?api-version=2022-06-01', '/api/hubs/chat/users/1'],
    ['http://h:81/api/hubs/CHAT/users/1/', '/api/hubs/chat/users/1'],
    ['http://h/api/v1/hubs/Chat', '/api/v1/hubs/cHAT'],
    ['http://h/api/hubs/chat/groups/a b', '/api/hubs/chat/groups/a%20b'],
    ['http://h/api/hubs/chat/:send', '/api/hubs/chat/%3Asend'],
    ['http://h/api/hubs/chat/users/%zz', '/api/hubs/chat/users/%zz'],
  ])('%s opens %s', (audience, path) => {
    expect(verify(audience, path)).toBeTypeOf('object');
  });

  it.each([
    ['http://h/api/hubs/chat/users/1', '/api/hubs/chat/users/2'],
    ['http://h/api/hubs/chat/users/a', '/api/hubs/chat/users/A'],
    ['http://h/api/hubs/chat/groups/a%2Fb', '/api/hubs/chat/groups/a/b'],
    ['http://h/api/hubs/chat/groups/a,b', '/api/hubs/chat/groups/a/b'],
    ['http://h/api/hubs/other', '/api/hubs/chat'],
    ['http://h/API/hubs/chat', '/api/hubs/chat'],
    ['http://h/', '/api/hubs/chat'],
    ['http://h/api/hubs/chat/users/%zz', '/api/hubs/chat/users/%yy'],
    ['chat', '/api/hubs/chat'],
  ])('%s does not open %s', (audience, path) => {
    expect(verify(audience, path)).toBe('audience');
  });

  it('does not open anything when no path is given', () => {
    const token = mintRestToken({ key: KEY, audience: 'http://h/api/hubs/chat', now: NOW });
    expect(verifyToken(token, { keys, use: 'rest', hub: 'chat', now: NOW })).toBe('audience');
  });
});

describe('bearerToken', () => {
  it.each([
    ['Bearer a.b.c', 'a.b.c'],
    ['bearer   a.b.c ', 'a.b.c'],
    ['Basic a', undefined],
    ['Not Bearer a.b.c', undefined],
    ['Bearer', undefined],
    ['Bearer a b', undefined],
    [undefined, undefined],
  ])('%j gives %j', (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });
});
