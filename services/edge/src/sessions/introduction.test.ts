import { describe, expect, test } from 'vitest';
import { openConnection, visibleHeaders, visibleQuery } from './introduction.ts';
import { TRANSPORTS } from './transport.ts';

/** The headers that an app server is told of. */
function told(
  headers: Readonly<Record<string, string>>,
  trusted = false,
): Record<string, readonly string[]> {
  const lines = visibleHeaders(new Map(Object.entries(headers)), {
    address: '192.0.2.7',
    trusted,
  });
  const introduction = { tokenPayload: '{}', headers: lines, queryString: '' };
  return Object.fromEntries(
    openConnection('id', introduction, 'json', 'edge-1', TRANSPORTS.longPolling).headers,
  );
}

const OWN = {
  'x-forwarded-for': ['192.0.2.7'],
  'Asrs-Instance-Id': ['edge-1'],
  'Asrs-Transport': ['LongPolling'],
};

describe('headers', () => {
  test('reach the app server as they came', () => {
    const given = {
      'user-agent': 'a: b: c',
      cookie: 'x=1; y=2',
      empty: '',
      accept: 'a, b',
      'x-long': 'v'.repeat(5000),
    };
    expect(told(given)).toEqual({
      ...OWN,
      ...Object.fromEntries(Object.entries(given).map(([name, value]) => [name, [value]])),
    });
  });

  test.each([
    'asrs-instance-id',
    'asrs-migrate-from',
    'asrs-transport',
    'asrs-is-diagnostic-client',
    'x-asrs-server-id',
    'authorization',
    'connection',
    'upgrade',
    'sec-websocket-key',
    'sec-websocket-protocol',
    'x-forwarded-for',
    'x-forwarded-proto',
    'forwarded',
    'x-real-ip',
    'true-client-ip',
    'cf-connecting-ip',
    'cf-connecting-ipv6',
    'x-client-ip',
    'x-ms-client-principal',
    'x-ms-client-principal-name',
  ])('that are called %s are kept back', (name) => {
    expect(told({ [name]: 'forged' })).toEqual(OWN);
  });

  test.each(['x-authorization', 'connection-id', 'my-asrs-header', 'proxy-authorization-x'])(
    'that are called %s are not',
    (name) => {
      expect(told({ [name]: 'a' })).toEqual({ ...OWN, [name]: ['a'] });
    },
  );
});

test('a client that is traced is announced as one', () => {
  const introduction = {
    tokenPayload: '{}',
    headers: [],
    queryString: '',
    diagnostic: true,
  } as const;
  const { headers } = openConnection('id', introduction, 'json', 'edge-1', TRANSPORTS.longPolling);
  expect(headers.get('Asrs-Is-Diagnostic-Client')).toEqual(['true']);
});

describe('headers of a trusted proxy', () => {
  test('reach the app server, but for what they say of the client', () => {
    const kept = ['x-forwarded-for', 'x-real-ip', 'true-client-ip', 'x-ms-client-principal'];
    const given = Object.fromEntries(kept.map((name) => [name, '198.51.100.1']));
    const passed = { 'x-forwarded-proto': ['https'], 'x-forwarded-host': ['a.example'] };
    const headers = { ...given, 'x-forwarded-proto': 'https', 'x-forwarded-host': 'a.example' };
    expect(told(headers, true)).toEqual({ ...OWN, ...passed });
  });
});

describe('the query', () => {
  test.each([
    ['', ''],
    ['a=b&c=d', '?a=b&c=d'],
    ['access_token=x', ''],
    ['a=b&access_token=x&c=d&access_token=y', '?a=b&c=d'],
    ['Access_Token=x&a=1', '?a=1'],
    ['access_token&a=1', '?a=1'],
    ['%61cces%73_tok%65n=x&a=1', '?a=1'],
    ['ACCESS%5FTOKEN=x', ''],
    ['%2561ccess_token=x', '?%2561ccess_token=x'],
    ['my_access_token=x&access_tokens=y', '?my_access_token=x&access_tokens=y'],
    ['asrs.op=%2Fchat%20room&a=%E4', '?asrs.op=%2Fchat%20room&a=%E4'],
  ])('%j is seen as %j', (query, seen) => {
    expect(visibleQuery(query)).toBe(seen);
  });
});
