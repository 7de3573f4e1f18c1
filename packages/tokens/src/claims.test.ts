import { describe, expect, it } from 'vitest';
import { forwardedClaims, readClientClaims, readServerClaims } from './claims.ts';

const NAME_IDENTIFIER = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier';
const ROLE = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';

function read(members: object) {
  return readClientClaims(JSON.stringify(members));
}

describe('readClientClaims', () => {
  it('has defaults', () => {
    expect(read({})).toEqual({
      userId: undefined,
      serverName: undefined,
      sticky: 'Disabled',
      handshakeTimeoutSeconds: 15,
      transports: 7,
      pollIntervalSeconds: undefined,
      closeOnAuthExpirationAt: undefined,
      diagnostic: false,
      detailedErrors: false,
    });
  });

  it('reads texts as the .NET SDK writes them', () => {
    const members = {
      'asrs.s.uid': 'alice',
      'asrs.s.sn': 'srv',
      'asrs.s.ssticky': 'Preferred',
      'asrs.s.dc': 'true',
      'asrs.s.cht': '20',
      'asrs.s.derror': 'True',
      'asrs.s.ttl': '30',
      'asrs.s.htt': '3',
      'asrs.s.coae': 'true',
      'asrs.s.aeo': '1711000000',
    };
    expect(read(members)).toEqual({
      userId: 'alice',
      serverName: 'srv',
      sticky: 'Preferred',
      handshakeTimeoutSeconds: 20,
      transports: 3,
      pollIntervalSeconds: 30,
      closeOnAuthExpirationAt: 1_711_000_000,
      diagnostic: true,
      detailedErrors: true,
    });
  });

  it.each([
    ['asrs.s.uid over a name identifier', { nameid: 'b', 'asrs.s.uid': 'a' }, 'a'],
    ['an empty asrs.s.uid', { nameid: 'b', 'asrs.s.uid': '' }, ''],
    ['nameid', { nameid: 'b' }, 'b'],
    ['sub', { sub: 'b' }, 'b'],
    ['the long name', { [NAME_IDENTIFIER]: 'b' }, 'b'],
    ['the first of several', { sub: ['b', 'c'], nameid: 'd' }, 'b'],
    ['a number', { sub: 7 }, '7'],
    ['nobody', { name: 'b' }, undefined],
  ])('takes as user %s', (_, members, userId) => {
    expect(read(members).userId).toBe(userId);
  });

  it.each([
    ['a server without mode', { 'asrs.s.sn': 's' }, 'Disabled', undefined],
    ['a mode without server', { 'asrs.s.ssticky': 'Required' }, 'Disabled', undefined],
    ['an unknown mode', { 'asrs.s.sn': 's', 'asrs.s.ssticky': 'x' }, 'Disabled', undefined],
    ['a mode by name', { 'asrs.s.sn': 's', 'asrs.s.ssticky': 'Required' }, 'Required', 's'],
    ['a mode by number', { 'asrs.s.sn': 's', 'asrs.s.ssticky': '2' }, 'Required', 's'],
    ['the other one', { 'asrs.s.sn': 's', 'asrs.s.ssticky': '1' }, 'Preferred', 's'],
  ])('reads %s', (_, members, sticky, serverName) => {
    expect(read(members)).toMatchObject({ sticky, serverName });
  });

  it.each(['0', '31', '-1', '1.5', 'x', '', null, {}])(
    'ignores a handshake timeout of %j',
    (value) => {
      expect(read({ 'asrs.s.cht': value }).handshakeTimeoutSeconds).toBe(15);
    },
  );

  it.each(['1', '30', 30])('takes a handshake timeout of %j', (value) => {
    expect(read({ 'asrs.s.cht': value }).handshakeTimeoutSeconds).toBe(Number(value));
  });

  it('needs coae for aeo to count', () => {
    expect(read({ 'asrs.s.aeo': '5' }).closeOnAuthExpirationAt).toBeUndefined();
    expect(read({ 'asrs.s.aeo': '5', 'asrs.s.coae': 'TRUE' }).closeOnAuthExpirationAt).toBe(5);
  });
});

describe('forwardedClaims', () => {
  it('expands arrays, makes texts, adds long types and drops null', () => {
    const payload = JSON.stringify({
      'asrs.s.uid': 'alice',
      nameid: 'alice',
      role: ['a', 'b', null],
      roles: 'c',
      'asrs.u.iss': 'me',
      ok: true,
      n: 1.5,
      o: { a: [1] },
      nothing: null,
      exp: 5,
    });
    expect(forwardedClaims(payload)).toEqual([
      ['asrs.s.uid', 'alice'],
      [NAME_IDENTIFIER, 'alice'],
      ['nameid', 'alice'],
      [ROLE, 'a'],
      ['role', 'a'],
      [ROLE, 'b'],
      ['role', 'b'],
      [ROLE, 'c'],
      ['roles', 'c'],
      ['asrs.u.iss', 'me'],
      ['ok', 'true'],
      ['n', '1.5'],
      ['o', '{"a":[1]}'],
      ['exp', '5'],
    ]);
  });

  it('adds a name identifier where asrs.s.uid is the only word on the user', () => {
    expect(forwardedClaims('{"asrs.s.uid":"a"}')).toEqual([
      ['asrs.s.uid', 'a'],
      [NAME_IDENTIFIER, 'a'],
    ]);
    expect(forwardedClaims('{"asrs.s.uid":""}')).toEqual([['asrs.s.uid', '']]);
    expect(forwardedClaims('{"asrs.s.uid":"a","sub":"b"}')).toEqual([
      ['asrs.s.uid', 'a'],
      [NAME_IDENTIFIER, 'b'],
      ['sub', 'b'],
    ]);
  });

  it('says a long type once that a token has as it is', () => {
    expect(forwardedClaims(JSON.stringify({ [ROLE]: ['a', 'b'] }))).toEqual([
      [ROLE, 'a'],
      [ROLE, 'b'],
    ]);
  });
});

describe('readServerClaims', () => {
  it('takes the name identifier', () => {
    expect(readServerClaims('{"nameid":"host_1"}')).toEqual({ serverId: 'host_1' });
    expect(readServerClaims('{}')).toEqual({ serverId: undefined });
  });
});
