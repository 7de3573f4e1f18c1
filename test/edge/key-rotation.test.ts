import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FakeAppServer, startEdge } from '@trunkline/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { HubClient } from './support/hub-client.ts';
import { RawSocket } from './support/raw-socket.ts';
import { userToken } from './support/tokens.ts';

const OLD_KEY = 'the-old-key-that-goes-0123456789abcdefghijkl';
const NEW_KEY = 'the-new-key-that-comes-0123456789abcdefghijk';

const folder = mkdtempSync(join(tmpdir(), 'trunkline-keys-'));
const file = join(folder, 'edge.json');
let edge: Awaited<ReturnType<typeof startEdge>>;

beforeAll(async () => {
  writeFileSync(file, JSON.stringify({ accessKeys: [OLD_KEY] }));
  edge = await startEdge({ args: ['--config', file] });
});
afterAll(async () => {
  await edge.stop();
  rmSync(folder, { recursive: true });
});

/** Has the edge read its config file again; `said` is what it logs of that. */
async function reread(config: string, said: string): Promise<void> {
  const before = edge.output().length;
  writeFileSync(file, config);
  process.kill(edge.pid, 'SIGHUP');
  await expect.poll(() => edge.output().slice(before), { timeout: 5_000 }).toContain(said);
}

const connectWith = (key: string): Promise<HubClient> =>
  HubClient.connect(edge.url, { token: userToken('chat', 'someone', key) });

it('rotates its keys on SIGHUP, and live connections stay', async () => {
  await using server = await FakeAppServer.connect(edge.url, { key: OLD_KEY });
  await using client = await connectWith(OLD_KEY);
  await expect(connectWith(NEW_KEY)).rejects.toThrow('401');

  // A negotiate of before the rotation is good after it, as long as its key is.
  const negotiated = await negotiate(OLD_KEY);
  await reread(JSON.stringify({ accessKeys: [NEW_KEY, OLD_KEY] }), '"access keys read again"');
  using late = new RawSocket(edge.url);
  const answer = await late.upgrade(`/client/?hub=chat&id=${negotiated}`, {
    Authorization: `Bearer ${userToken('chat', 'someone', OLD_KEY)}`,
  });
  expect(answer.status).toBe('HTTP/1.1 101 Switching Protocols');
  await using second = await connectWith(OLD_KEY);
  await using third = await connectWith(NEW_KEY);

  await reread(JSON.stringify({ accessKeys: [NEW_KEY] }), '"access keys read again"');
  await expect(connectWith(OLD_KEY)).rejects.toThrow('401');
  await expect(FakeAppServer.connect(edge.url, { key: OLD_KEY })).rejects.toThrow('401');
  for (const live of [client, second, third]) expect(await live.call('echo', 1)).toBe(1);
  expect(server.received.all).not.toHaveLength(0);

  await using newServer = await FakeAppServer.connect(edge.url, { key: NEW_KEY });
  await server.close();
  await using fourth = await connectWith(NEW_KEY);
  expect(await fourth.call('echo', 2)).toBe(2);
  expect(newServer.received.all.length).toBeGreaterThan(1);
});

it.each([
  ['{', 'is not JSON'],
  ['{"accessKeys": []}', 'accessKeys'],
  [JSON.stringify({ accessKeys: ['a', 'b', 'c'] }), 'keys'],
])('keeps its keys when it reads %s', async (config, said) => {
  await reread(config, 'settings not read again: the old ones stay');
  const line = edge.output().trimEnd().split('\n').at(-1)!;
  expect(line).toContain(said);
  expect(JSON.parse(line)).toMatchObject({ level: 'error' });
  await expect(negotiate(NEW_KEY)).resolves.toBeTypeOf('string');
});

it('reads its keys again from a file that holds nothing else', async () => {
  const keys = join(folder, 'access-keys');
  writeFileSync(keys, `${OLD_KEY}\n`);
  const env = { TRUNKLINE_ACCESS_KEYS_FILE: keys, TRUNKLINE_DEV: '0' };
  await using other = await startEdge({ args: ['--dev=false', '--host', '127.0.0.1'], env });
  await using server = await FakeAppServer.connect(other.url, { key: OLD_KEY });
  writeFileSync(keys, `${NEW_KEY}\n${OLD_KEY}\n`);
  process.kill(other.pid, 'SIGHUP');
  await expect.poll(() => other.output(), { timeout: 5_000 }).toContain('"access keys read again"');
  const token = userToken('chat', 'someone', NEW_KEY);
  await using client = await HubClient.connect(other.url, { token });
  expect(await client.call('echo', 1)).toBe(1);
  expect(server.received.all).not.toHaveLength(0);
});

async function negotiate(key: string): Promise<string> {
  const response = await fetch(`${edge.url}/client/negotiate?hub=chat&negotiateVersion=1`, {
    method: 'POST',
    headers: { authorization: `Bearer ${userToken('chat', 'someone', key)}` },
  });
  const { connectionToken } = (await response.json()) as { connectionToken: string };
  return connectionToken;
}
