import { hostname } from 'node:os';

import { beforeEach, expect, test, vi } from 'vitest';

import { atEnd, fakeService, Log } from '../harness.test-support.ts';

vi.mock('node:os', async (load) => ({ ...(await load<object>()), hostname: vi.fn(() => 'here') }));

beforeEach(() => vi.resetModules());

const refuses = () => {
  throw new Error('uv_os_gethostname returned EINVAL');
};

test.each<[string, () => string, RegExp]>([
  ['office-7.example', () => 'office-7.example', /^office-7\.example$/],
  ['Chinese', () => '办公室', /^machine$/],
  ['an apostrophe that is none of ASCII', () => 'Ada’s MacBook', /^Ada-s-MacBook$/],
  ['accents', () => 'Bücherstube Orléans', /^Bucherstube-Orleans$/],
  ['wide letters', () => 'ｐｃ１', /^pc1$/],
  ['emoji', () => '🐙 desk 🐙', /^desk$/],
  ['line ends and nothing', () => 'a\r\nX-Evil: 1\0', /^a-X-Evil-1$/],
  ['what divides lists', () => 'a;b:c_d', /^a-b-c-d$/],
  ['half a character', () => 'a\ud800b', /^a-b$/],
  ['empty', () => '', /^machine$/],
  ['very long', () => 'é'.repeat(100_000), /^e{64}$/],
  ['none at all', refuses, /^machine$/],
])('a machine with such a name connects: %s', async (_what, name, shown) => {
  vi.mocked(hostname).mockImplementation(name);
  const { createServer, Hub } = await import('../index.ts');
  const service = await fakeService();
  const { connectionString } = service;
  const server = createServer({ connectionString, connectionCount: 1, logger: new Log() });
  atEnd(() => server.stop({ timeout: 0 }));
  server.hub('/chat', class extends Hub {});
  await server.start();
  const { headers } = service.requests[0]!;
  const [, machine, guid] = /^(.*)_([0-9a-f]{32})$/.exec(headers['x-asrs-server-id'] as string)!;
  expect(guid).toBeDefined();
  expect(machine).toMatch(shown);
  const token = headers.authorization!.split('.')[1]!;
  const { nameid } = JSON.parse(Buffer.from(token, 'base64url').toString()) as { nameid: string };
  expect(nameid).toBe(headers['x-asrs-server-id']);
});

test('whatever a header was made of, HTTP can carry it', async () => {
  const { serviceHeaders } = await import('./identity.ts');
  const headers = serviceHeaders('t', { 'X-Some': 'a\r\nb\0 ’办🐙\ud800 é' });
  expect(new Headers(headers).get('x-some')).toBe('a??b? ???? ?');
});
