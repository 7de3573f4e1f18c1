import { describe, expect, test } from 'vitest';
import {
  TRANSPORTS,
  negotiateAnswer,
  negotiateVersion,
  redirectAnswer,
  redirectUrl,
  transportsFor,
} from './negotiate.ts';

const NOT_AN_INTEGER = { error: 'The client requested a non-integer protocol version.' };

describe('version', () => {
  test.each([
    [null, 0],
    ['0', 0],
    ['1', 1],
    [' +1 ', 1],
    ['01', 1],
    ['2', 1],
    ['2147483647', 1],
  ])('%j is answered with %d', (value, version) => {
    expect(negotiateVersion(value)).toBe(version);
  });

  test.each(['', ' ', '1.0', '1e0', '0x1', 'one', '1,1', '2147483648'])('%j', (value) => {
    expect(negotiateVersion(value)).toStrictEqual(NOT_AN_INTEGER);
  });

  test('below 0', () => {
    expect(negotiateVersion('-1')).toStrictEqual({
      error: "The client requested version '-1', but the server does not support this version.",
    });
  });
});

describe('answer', () => {
  const offer = { connectionId: 'ID', connectionToken: 'TOKEN', transports: TRANSPORTS };
  const transports =
    '"availableTransports":[{"transport":"WebSockets","transferFormats":["Text","Binary"]},' +
    '{"transport":"ServerSentEvents","transferFormats":["Text"]},' +
    '{"transport":"LongPolling","transferFormats":["Text","Binary"]}]}';

  test('version 1 has a token of its own', () => {
    expect(JSON.stringify(negotiateAnswer({ ...offer, version: 1 }))).toBe(
      `{"negotiateVersion":1,"connectionId":"ID","connectionToken":"TOKEN",${transports}`,
    );
  });

  test('version 0 has none', () => {
    expect(JSON.stringify(negotiateAnswer({ ...offer, version: 0 }))).toBe(
      `{"negotiateVersion":0,"connectionId":"ID",${transports}`,
    );
  });

  test('stateful reconnect is named only when it is on', () => {
    const on = negotiateAnswer({ ...offer, version: 1, useStatefulReconnect: true });
    expect(on.useStatefulReconnect).toBe(true);
    const off = negotiateAnswer({ ...offer, version: 1, useStatefulReconnect: false });
    expect(off).not.toHaveProperty('useStatefulReconnect');
  });

  test('redirect', () => {
    expect(JSON.stringify(redirectAnswer('http://h/client/?hub=chat', 'JWT'))).toBe(
      '{"negotiateVersion":0,"url":"http://h/client/?hub=chat","accessToken":"JWT","availableTransports":[]}',
    );
  });

  test.each([
    [7, ['WebSockets', 'ServerSentEvents', 'LongPolling']],
    [1, ['WebSockets']],
    [2, ['ServerSentEvents']],
    [4, ['LongPolling']],
    [5, ['WebSockets', 'LongPolling']],
    [8, []],
    [0, []],
  ])('mask %d allows %j', (mask, names) => {
    expect(transportsFor(mask).map(({ transport }) => transport)).toStrictEqual(names);
  });
});

describe('redirect URL', () => {
  const target = {
    clientEndpoint: 'http://h/',
    hub: 'app_chat',
    originalPath: '/user/path/negotiate',
    originalQuery: '?endpoint=chosen&x=b%20r',
    requestId: 'a+b=',
  };

  test('carries path and query', () => {
    const url =
      'http://h/client/?hub=app_chat&asrs.op=%2Fuser%2Fpath&endpoint=chosen&x=b%20r&asrs_request_id=a%2Bb%3D';
    expect(redirectUrl(target)).toBe(url);
    expect(redirectUrl({ ...target, clientEndpoint: 'http://h' })).toBe(url);
    expect(redirectUrl({ ...target, originalPath: '/user/path/negotiate/' })).toBe(url);
    expect(redirectUrl({ ...target, originalQuery: 'endpoint=chosen&x=b%20r' })).toBe(url);
    expect(redirectUrl({ ...target, originalQuery: 'a=?' })).toContain('&a=?&asrs_request_id=');
  });

  test('leaves out the token that the client signed in with, however it is written', () => {
    const originalQuery = '?a=1&access_token=x&%61ccess_Token=y&b=2';
    expect(redirectUrl({ ...target, originalQuery })).toContain('&a=1&b=2&asrs_request_id=');
  });

  test.each(['/negotiate', '', '/chat', '/chat/negotiated'])(
    'leaves out asrs.op for %j',
    (path) => {
      expect(redirectUrl({ ...target, originalPath: path, originalQuery: '' })).toBe(
        'http://h/client/?hub=app_chat&asrs_request_id=a%2Bb%3D',
      );
    },
  );

  test('only the last /negotiate ends the path', () => {
    expect(redirectUrl({ ...target, originalPath: '/negotiate/a b&c/negotiate' })).toContain(
      '&asrs.op=%2Fnegotiate%2Fa%20b%26c&endpoint',
    );
  });
});
