import { expect, test } from 'vitest';
import { DIGEST_MS, LogDigest } from './log-digest.ts';
import { createLogger } from './logger.ts';

interface Line {
  [field: string]: unknown;
  count: number;
}

/** A digest on a clock that the test moves, and the lines that it has written. */
function start(level: 'info' | 'warn' = 'info') {
  const lines: Line[] = [];
  let bytes = 0;
  const log = createLogger(
    { name: 'edge', level },
    {
      write: (line) => {
        bytes += line.length;
        const { time: _time, service: _service, ...rest } = JSON.parse(line);
        lines.push(rest);
      },
    },
  );
  let now = 0;
  const digest = new LogDigest(log, () => now);
  const pass = (ms: number): void => {
    now += ms;
    digest.expire(now);
  };
  return { digest, lines, pass, bytes: () => bytes };
}

const total = (lines: readonly Line[]): number => lines.reduce((sum, line) => sum + line.count, 0);

test('the first is told at once, what follows every ten seconds with its count and since when', () => {
  const { digest, lines, pass } = start();
  const refused = (connection: string): void =>
    digest.warn({ reason: 'expired', hub: 'chat' }, 'client refused', { connection });
  const before = new Date().toISOString();
  refused('a');
  const cause = { level: 'warn', reason: 'expired', hub: 'chat', msg: 'client refused' };
  expect(lines).toEqual([{ ...cause, connection: 'a', count: 1 }]);
  refused('b');
  refused('c');
  pass(DIGEST_MS - 1);
  expect(lines).toHaveLength(1);
  pass(1);
  expect(lines.slice(1)).toEqual([
    { ...cause, connection: 'c', count: 2, since: expect.any(String) },
  ]);
  const { since } = lines[1]!;
  expect(since! >= before && (since as string) <= new Date().toISOString()).toBe(true);
  refused('d');
  expect(lines).toHaveLength(2);
  pass(DIGEST_MS);
  expect(lines[2]).toMatchObject({ connection: 'd', count: 1, since: expect.any(String) });
  // Quiet for ten seconds: the next is a first one again.
  pass(DIGEST_MS);
  refused('e');
  expect(lines[3]).toEqual({ ...cause, connection: 'e', count: 1 });
});

test('causes differ by message, level and fields, and each is counted for itself', () => {
  const { digest, lines } = start();
  for (let i = 0; i < 3; i++) {
    digest.info({ hub: 'a' }, 'closed');
    digest.info({ hub: 'b' }, 'closed');
    digest.warn({ hub: 'a' }, 'closed');
    digest.error({ hub: 'a' }, 'failed');
  }
  expect(lines).toHaveLength(4);
  digest.flush();
  expect(lines.slice(4).map(({ level, hub, count }) => [level, hub, count])).toEqual([
    ['info', 'a', 2],
    ['info', 'b', 2],
    ['warn', 'a', 2],
    ['error', 'a', 2],
  ]);
  digest.flush();
  expect(lines).toHaveLength(8);
});

test('a peer that thinks up causes fills neither log nor memory, and hides no other message', () => {
  const { digest, lines, pass, bytes } = start();
  for (let second = 0; second < 20; second++) {
    for (let i = 0; i < 200; i++) {
      digest.info({ hub: `${second}.${i}${'x'.repeat(1000)}` }, 'client refused', {
        err: new Error('y'.repeat(10_000)),
      });
    }
    pass(1000);
  }
  digest.flush();
  expect(total(lines)).toBe(4_000);
  expect(lines.length).toBeLessThanOrEqual(3 * 51);
  expect(bytes()).toBeLessThan(3 * 51 * 4096);
  expect(lines.filter(({ cause }) => cause === 'others').length).toBeGreaterThan(0);
  const before = lines.length;
  digest.warn({ hub: 'chat' }, 'app server refused');
  expect(lines[before]).toMatchObject({ hub: 'chat', msg: 'app server refused', count: 1 });
});

test('text from outside is cut, printable and without secrets; letters of any script stay', () => {
  const { digest, lines } = start();
  const token = `eyJhbGciOiJIUzI1NiJ9.${'p'.repeat(3000)}.${'s'.repeat(43)}`;
  digest.info(
    { hub: 'a\n\u202Eb\u0000', serverId: '办公室', origin: 'x'.repeat(9000) },
    'refused',
    {
      url: `?access_token=${token}`,
      err: new Error(token),
    },
  );
  expect(lines[0]).toMatchObject({ hub: 'a\\u{a}\\u{202e}b\\u{0}', serverId: '办公室' });
  expect((lines[0]!['origin'] as string).length).toBe(161);
  expect(JSON.stringify(lines)).not.toContain('pppp');
  expect(JSON.stringify(lines)).not.toContain('ssss');
});

test('what is below the level costs nothing and is not kept', () => {
  const { digest, lines, pass } = start('warn');
  digest.info({ hub: 'a' }, 'closed');
  digest.info({ hub: 'a' }, 'closed');
  pass(DIGEST_MS);
  digest.flush();
  expect(lines).toEqual([]);
});
