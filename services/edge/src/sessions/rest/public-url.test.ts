import { BlockList } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Provenance } from '../client/visitor.ts';
import { PublicUrl } from './public-url.ts';

const PROXY = '10.0.0.1';
const trustedProxies = new BlockList();
trustedProxies.addAddress(PROXY);

function urlOf(
  headers: Readonly<Record<string, string>>,
  { from = '192.0.2.1', tls }: { from?: string; tls?: Provenance['tls'] } = {},
): string {
  return new PublicUrl({ trustedProxies, tls }).of({
    method: 'GET',
    path: '/api/health',
    query: '',
    headers: new Map(Object.entries(headers)),
    remoteAddress: from,
  });
}

describe('the URL that a caller has reached', () => {
  const tls = {};

  test('is that of the listener', () => {
    expect(urlOf({ host: 'edge:8080' })).toBe('http://edge:8080');
    expect(urlOf({ host: 'edge:8443' }, { tls })).toBe('https://edge:8443');
    expect(urlOf({})).toBe('http://localhost');
  });

  test('has the scheme and the host that a trusted proxy was asked by', () => {
    const headers = { host: 'edge', 'x-forwarded-proto': 'https , http' };
    expect(urlOf(headers, { from: PROXY })).toBe('https://edge');
    expect(urlOf({ ...headers, 'x-forwarded-host': 'out' }, { from: PROXY })).toBe('https://out');
    expect(urlOf({ ...headers, 'x-forwarded-proto': 'http' }, { from: PROXY, tls })).toBe(
      'http://edge',
    );
  });

  test('has the scheme of the listener where a proxy says nothing good, or nobody trusts it', () => {
    expect(urlOf({ host: 'edge' }, { from: PROXY, tls })).toBe('https://edge');
    expect(urlOf({ host: 'edge', 'x-forwarded-proto': 'gopher' }, { from: PROXY })).toBe(
      'http://edge',
    );
    expect(urlOf({ host: 'edge', 'x-forwarded-proto': 'https' })).toBe('http://edge');
  });
});
