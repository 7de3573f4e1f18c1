import { describe, expect, test } from 'vitest';
import { readConfig } from './config.ts';
import type { EdgeConfig } from './config.ts';

const read = (...flags: string[]): EdgeConfig => readConfig({ argv: ['--dev', ...flags], env: {} });

describe('allowed origins', () => {
  test('are all, unless told', () => {
    expect(read().allowedOrigins).toEqual(['*']);
  });

  test('are kept in the form in which browsers send them', () => {
    const { allowedOrigins } = read('--allowed-origins', 'HTTPS://A.example:443/, http://b:80');
    expect(allowedOrigins).toEqual(['https://a.example', 'http://b']);
  });

  test.each(['a.example', 'https://a.example/chat', 'https://*.a.example', 'null', '**'])(
    'are not %s',
    (entry) => {
      expect(() => read('--allowed-origins', entry)).toThrow(
        `'${entry}' is no origin: --allowed-origins takes * or scheme://host[:port], without a path`,
      );
    },
  );
});

describe('trusted proxies', () => {
  test('are none, unless told', () => {
    expect(read().trustedProxies.rules).toEqual([]);
  });

  test('are addresses and blocks', () => {
    const list = '127.0.0.1,10.1.2.3/8,::1,2001:db8::/32,0.0.0.0/32';
    const { trustedProxies } = read('--trusted-proxies', list);
    const trusted = ['127.0.0.1', '10.255.0.1', '0.0.0.0'];
    expect(trusted.filter((address) => !trustedProxies.check(address))).toEqual([]);
    expect(['127.0.0.2', '11.0.0.1'].filter((address) => trustedProxies.check(address))).toEqual(
      [],
    );
    expect(trustedProxies.check('::1', 'ipv6')).toBe(true);
    expect(trustedProxies.check('2001:db8:ffff::1', 'ipv6')).toBe(true);
    expect(trustedProxies.check('2001:db9::1', 'ipv6')).toBe(false);
  });

  test.each([
    'proxy',
    '10.0.0',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '::/129',
  ])('are not %s', (entry) => {
    expect(() => read('--trusted-proxies', entry)).toThrow(
      `'${entry}' is no proxy: --trusted-proxies takes IP addresses and blocks such as 10.0.0.0/8`,
    );
  });
});
