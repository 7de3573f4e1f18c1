import { describeOptions, KNOWN_VARIABLES } from '@trunkline/settings';
import { describe, expect, test } from 'vitest';
import { readConfig } from './config.ts';
import type { EdgeConfig } from './config.ts';
import { EDGE_OPTIONS } from './options.ts';

const read = (...flags: string[]): EdgeConfig => readConfig({ argv: ['--dev', ...flags], env: {} });

test('the edge has no variable that would stop another process of its environment', () => {
  const own = describeOptions(EDGE_OPTIONS, true).map((option) => option.env);
  expect(KNOWN_VARIABLES).toEqual(expect.arrayContaining(own));
});

describe('processes', () => {
  test('are one, unless told, and that one needs no bus', () => {
    expect(read().processes).toBe(1);
    expect(read('--processes', '1').processes).toBe(1);
  });

  test('are several on a bus', () => {
    for (const bus of ['nats://a', 'redis://a']) {
      expect(read('--bus', bus, '--processes', '4').processes).toBe(4);
    }
  });

  test('without a bus are one: what to start is said', () => {
    expect(() => read('--processes', '2')).toThrow(
      "--processes needs a bus that joins its edges: start one with 'nats-server -c deploy/nats.conf' and add --bus nats://127.0.0.1:4222",
    );
  });
});

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

describe('transports', () => {
  test('are all, unless told', () => {
    expect(read().transports).toBe(7);
  });

  test.each([
    ['webSockets', 1],
    ['serverSentEvents', 2],
    ['longPolling', 4],
    ['longPolling,webSockets,webSockets', 5],
  ])('may be %s', (list, mask) => {
    expect(read('--transports', list).transports).toBe(mask);
  });

  test.each(['WebSockets', 'sse', 'constructor'])('are not %s', (entry) => {
    expect(() => read('--transports', `webSockets,${entry}`)).toThrow(
      `'${entry}' is no transport: --transports takes webSockets, serverSentEvents, longPolling`,
    );
  });
});

describe('a batch of hub messages', () => {
  const KB = 1024;

  test('may be as long as two of the longest messages, unless told', () => {
    const longest = read('--max-message-bytes', String(100 * KB));
    expect(longest).toMatchObject({ maxBatchBytes: 200 * KB });
    expect(read()).toMatchObject({ maxBatchBytes: 8 * KB * KB });
  });

  test('has room for one message at least', () => {
    const one = ['--max-message-bytes', '2048', '--max-batch-bytes'];
    expect(read(...one, '2048')).toMatchObject({ maxBatchBytes: 2048 });
    expect(() => read(...one, '2047')).toThrow(
      '--max-batch-bytes (2047) is less than one message of --max-message-bytes (2048)',
    );
    expect(() => read('--max-batch-bytes', '2048')).toThrow('--max-message-bytes (4194304)');
  });
});

describe('connections and requests', () => {
  test('are bounded by open files, and by 1024 posts, unless told', () => {
    expect(read()).toMatchObject({ maxConnections: Infinity, requests: 1024 });
  });

  test('are bounded as told, above 0', () => {
    expect(read('--max-connections', '1', '--max-requests', '2')).toMatchObject({
      maxConnections: 1,
      requests: 2,
    });
    expect(() => read('--max-connections', '0')).toThrow("--max-connections: '0' is not");
    expect(() => read('--max-requests', '0')).toThrow("--max-requests: '0' is not");
  });
});

describe('a poll', () => {
  test('hangs 90 seconds, unless told', () => {
    expect(read().pollMs).toBe(90_000);
    expect(read('--poll-timeout', '1').pollMs).toBe(1000);
  });

  test('never hangs so long that clients, who wait for 100, would give it up', () => {
    expect(read('--poll-timeout', '95').pollMs).toBe(95_000);
    expect(() => read('--poll-timeout', '96')).toThrow(
      "--poll-timeout: '96' is not an integer from 1 to 95",
    );
  });
});
