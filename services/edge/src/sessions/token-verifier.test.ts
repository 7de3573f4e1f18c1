import { AccessKeys, mintClientToken, mintServerToken } from '@trunkline/tokens';
import { beforeEach, describe, expect, test } from 'vitest';
import type { HttpRequest } from '../ports/listener.ts';
import { Counters } from './counters.ts';
import { counted } from './fixtures.test-support.ts';
import { requestedHub, requestToken, TokenVerifier, unauthorized } from './token-verifier.ts';

const NOW = 1_700_000_000;
const audienceBase = 'http://localhost/';
const old = 'old key';
const token = mintClientToken({
  key: old,
  audienceBase,
  hub: 'chat',
  now: NOW,
  lifetimeSeconds: 60,
});

let seconds: number;
let counters: Counters;
let tokens: TokenVerifier;

beforeEach(() => {
  seconds = NOW;
  counters = new Counters();
  const time = { now: () => 0, unixSeconds: () => seconds };
  tokens = new TokenVerifier(new AccessKeys([old]), time, counters);
});

describe('a token', () => {
  test('is good for its use and hub, each time', () => {
    for (let i = 0; i < 2; i++) {
      expect(tokens.verify(token, 'client', 'chat')).toMatchObject({ expiresAt: NOW + 60 });
    }
    for (let i = 0; i < 2; i++) {
      expect(tokens.verify(token, 'server', 'chat')).toBe('audience');
      expect(tokens.verify(token, 'client', 'other')).toBe('audience');
    }
    expect(counted(counters.tokenRejections)).toEqual({
      'server|audience': 2,
      'client|audience': 2,
    });
  });

  test('expires though it has been seen before', () => {
    tokens.verify(token, 'client', 'chat');
    seconds = NOW + 59;
    expect(tokens.verify(token, 'client', 'chat')).toMatchObject({ expiresAt: NOW + 60 });
    seconds = NOW + 60;
    expect(tokens.verify(token, 'client', 'chat')).toBe('expired');
  });

  test('is refused once its key is gone, and stands while it is the second', () => {
    tokens.verify(token, 'client', 'chat');
    tokens.keys = new AccessKeys(['new key', old]);
    expect(tokens.verify(token, 'client', 'chat')).toMatchObject({ expiresAt: NOW + 60 });
    tokens.keys = new AccessKeys(['new key']);
    expect(tokens.verify(token, 'client', 'chat')).toBe('signature');
    expect(counted(counters.tokenRejections)).toEqual({ 'client|signature': 1 });
  });

  test('of a server opens no client connection', () => {
    const options = { key: old, audienceBase, hub: 'chat', now: NOW, serverId: 's' };
    expect(tokens.verify(mintServerToken(options), 'client', 'chat')).toBe('audience');
  });
});

describe('a request', () => {
  const request = (query: string, authorization?: string): HttpRequest => ({
    method: 'GET',
    path: '/client/',
    query,
    headers: new Map(authorization === undefined ? [] : [['authorization', authorization]]),
    remoteAddress: '127.0.0.1',
  });

  test.each([
    ['hub=Chat', 'chat'],
    ['a=b&hub=app_chat', 'app_chat'],
    ['hub=List%601%5BA%5D', 'list`1[a]'],
    [`hub=${'a'.repeat(128)}`, 'a'.repeat(128)],
  ])('with %j names the hub %j', (query, hub) => {
    expect(requestedHub(request(query))).toBe(hub);
  });

  test.each([
    [`hub=${'a'.repeat(129)}`, 'hub_name'],
    ['', 'no_hub'],
    ['hub=', 'no_hub'],
    ['hub=1a', 'hub_name'],
    ['hub=a%2Fb', 'hub_name'],
    ['hub=a%0Ab', 'hub_name'],
  ])('with %j is told what a hub name is', (query, why) => {
    const body = expect.stringContaining('1 to 128 characters, letters, digits and underscores');
    expect(requestedHub(request(query))).toMatchObject({ status: 400, body, why });
  });

  test('brings its token in the header, else as the last of its query', () => {
    expect(requestToken(request('access_token=q', 'Bearer h'))).toBe('h');
    expect(requestToken(request('access_token=first&x=1&access_token=last'))).toBe('last');
    expect(requestToken(request('x=1'))).toBe('');
    expect(requestToken(request('', 'Basic eHg='))).toBe('');
  });
});

test('a refusal says why, with the status text that clients show', () => {
  expect(unauthorized('missing')).toEqual({
    status: 401,
    headers: { 'www-authenticate': 'Bearer' },
    why: 'missing',
  });
  expect(unauthorized('expired').headers).toEqual({
    'www-authenticate': 'Bearer error="invalid_token", error_description="The token is expired"',
  });
});
