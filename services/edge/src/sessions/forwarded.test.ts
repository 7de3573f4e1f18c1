import { BlockList } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Forwarded, isCredible } from './forwarded.ts';

const PROXIES = new BlockList();
PROXIES.addSubnet('10.0.0.0', 8);
PROXIES.addAddress('127.0.0.1');
PROXIES.addSubnet('2001:db8:1::', 48, 'ipv6');

const trusting = new Forwarded(PROXIES);
const trustingNobody = new Forwarded(new BlockList());

/** What is read of a request that comes from `remoteAddress`. */
function read(
  remoteAddress: string,
  headers: Readonly<Record<string, string>> = {},
  forwarded = trusting,
): ReturnType<Forwarded['read']> {
  return forwarded.read({ headers: new Map(Object.entries(headers)), remoteAddress });
}

const client = (forwardedFor: string): string =>
  read('10.0.0.1', { 'x-forwarded-for': forwardedFor }).address;

describe('a peer that is not trusted', () => {
  const headers = {
    host: 'a.example',
    'x-forwarded-for': '192.0.2.1',
    'x-forwarded-host': 'b.example',
  };

  test.each(['198.51.100.7', '2001:db8:2::1', '11.0.0.1', ''])('%j is the client', (peer) => {
    expect(read(peer, headers)).toEqual({ address: peer, host: 'a.example', trusted: false });
  });

  test('is anybody, where no proxy is configured', () => {
    const source = read('127.0.0.1', headers, trustingNobody);
    expect(source).toEqual({ address: '127.0.0.1', host: 'a.example', trusted: false });
  });
});

describe('a trusted proxy', () => {
  test.each([
    '10.255.0.1',
    '0000:0000:0000:0000:0000:ffff:7f00:0001',
    '::ffff:10.0.0.1',
    '2001:0db8:0001:0000:0000:0000:0000:0001',
  ])('at %s is known', (peer) => {
    expect(read(peer, { 'x-forwarded-for': '192.0.2.1' })).toMatchObject({
      address: '192.0.2.1',
      trusted: true,
    });
  });

  test('that names nobody asks for itself', () => {
    expect(read('127.0.0.1', { host: 'a.example' })).toEqual({
      address: '127.0.0.1',
      host: 'a.example',
      trusted: true,
    });
  });

  test.each([
    ['b.example:8443', 'b.example:8443'],
    [' b.example , c.example', 'b.example'],
    ['', 'a.example'],
  ])('says by %j which host was asked', (forwardedHost, host) => {
    const headers = { host: 'a.example', 'x-forwarded-host': forwardedHost };
    expect(read('10.0.0.1', headers).host).toBe(host);
  });
});

describe('X-Forwarded-For', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:4711', '192.0.2.1'],
    ['2001:DB8:9:0::1', '2001:db8:9::1'],
    ['[2001:db8:9::1]', '2001:db8:9::1'],
    ['[2001:db8:9::1]:4711', '2001:db8:9::1'],
    ['[::ffff:192.0.2.1]:4711', '192.0.2.1'],
    ['::ffff:0:c000:201', '::ffff:0:c000:201'],
  ])('%j is %s', (entry, address) => {
    expect(client(entry)).toBe(address);
    expect(client(`203.0.113.9, ${entry} ,10.0.0.2`)).toBe(address);
  });

  test.each([
    ['what the client itself has sent', '203.0.113.9, 192.0.2.1, 10.9.9.9', '192.0.2.1'],
    ['nothing, where all are proxies', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['what stands left of no address', '192.0.2.1, unknown, 10.0.0.2', '10.0.0.2'],
    ['all of it, where the last is no address', '192.0.2.1, unknown', '10.0.0.1'],
  ])('is believed but for %s', (_what, forwardedFor, address) => {
    expect(client(forwardedFor)).toBe(address);
  });

  test.each([
    '',
    ',',
    'localhost',
    '_hidden',
    '192.0.2',
    '192.0.2.1:',
    '[192.0.2.1]',
    '[2001:db8::1',
    'fe80::1%eth0',
    '2001:db8::1]:80',
    '"192.0.2.1"',
    'for=192.0.2.1',
  ])('%j is no address', (entry) => {
    expect(client(`192.0.2.1, ${entry}`)).toBe('10.0.0.1');
  });

  test('gives an address that is not trusted, whatever is forged on its left', () => {
    const text = fc.array(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()));
    fc.assert(
      fc.property(text, (entries) => {
        expect(client([...entries, '192.0.2.1', '10.0.0.2'].join(', '))).toBe('192.0.2.1');
        expect(() => client(entries.join(','))).not.toThrow();
      }),
    );
  });
});

describe('headers', () => {
  test.each(['x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'])(
    '%s is believed of a trusted proxy',
    (name) => {
      expect([isCredible(name, true), isCredible(name, false)]).toEqual([true, false]);
    },
  );

  test.each([
    'x-forwarded-for',
    'x-forwarded-prefix',
    'x-original-for',
    'x-original-forwarded-for',
    'x-original-host',
    'forwarded',
    'x-real-ip',
    'client-ip',
    'x-client-ip',
    'true-client-ip',
    'x-cluster-client-ip',
    'fastly-client-ip',
    'cf-connecting-ip',
    'cf-connecting-ipv6',
    'cf-pseudo-ipv4',
    'x-azure-clientip',
    'x-azure-socketip',
    'x-appengine-user-ip',
    'x-envoy-external-address',
    'x-ms-client-principal',
    'x-ms-client-principal-id',
    'x-ms-client-principal-name',
    'x-ms-client-principal-idp',
  ])('%s is never believed', (name) => {
    expect([isCredible(name, true), isCredible(name, false)]).toEqual([false, false]);
  });

  test.each([
    'host',
    'x-forwarded',
    'forwarded-by',
    'x-real-ips',
    'x-client-ips',
    'x-client-id',
    'x-original-url',
    'cf-ray',
    'x-ms-client-request-id',
    'via',
  ])('%s is no matter of trust', (name) => {
    expect([isCredible(name, true), isCredible(name, false)]).toEqual([true, true]);
  });
});
