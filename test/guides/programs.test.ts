import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { freePort, startEdge, startProcess } from '@trunkline/testing';
import type { StartedEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Guide } from './guide.ts';

const TIMEOUT_MS = 120_000;

let edge: StartedEdge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.stop());

async function environment(): Promise<{ PORT: string; TRUNKLINE_CONNECTION_STRING: string }> {
  const port = await freePort();
  const TRUNKLINE_CONNECTION_STRING = formatConnectionString(edge.url, DEVELOPMENT_ACCESS_KEY);
  return { PORT: String(port), TRUNKLINE_CONNECTION_STRING };
}

/** What a client at a port is told on calling `greet`. */
async function greeting(port: string): Promise<string> {
  const connection = new HubConnectionBuilder()
    .withUrl(`http://localhost:${port}/chat`)
    .configureLogging(LogLevel.None)
    .build();
  await connection.start();
  try {
    return await connection.invoke<string>('greet', 'ada');
  } finally {
    await connection.stop();
  }
}

test('from-socket-io.md', { timeout: TIMEOUT_MS }, async () => {
  await using guide = await Guide.of('from-socket-io.md');
  expect(await guide.compile()).toBe('');
  const env = await environment();
  const ready = (line: string) => line === 'serving' && line;
  const options = { name: 'server', cwd: guide.folder, env, ready };
  await using _server = await startProcess(process.execPath, ['server.ts'], options);
  const { code, output } = await guide.node(['client.ts'], env);
  expect({ code, lines: output.trim().split('\n').toSorted() }).toEqual({
    code: 0,
    lines: [
      'ada hears you: hello',
      'bob hears ada: hello',
      'bob hears system: ada has left',
      'heard',
      'sure: true',
      "An unexpected error occurred invoking 'say' on the server. HubException: say something",
    ].toSorted(),
  });
});

test(
  'tsx-watch.md: an edit is served, and nothing of the server before is left',
  {
    timeout: TIMEOUT_MS,
  },
  async () => {
    await using guide = await Guide.of('tsx-watch.md');
    expect(await guide.compile()).toBe('');
    const env = await environment();
    const tsx = fileURLToPath(import.meta.resolve('tsx/cli'));
    await using _server = await startProcess(process.execPath, [tsx, 'watch', 'server.ts'], {
      name: 'tsx watch',
      cwd: guide.folder,
      env,
      ready: (line) => line.includes('serving') && line,
    });
    expect(await greeting(env.PORT)).toBe('hello ada');
    const chat = join(guide.folder, 'chat.ts');
    const edited = (await readFile(chat, 'utf8')).replace('hello', 'good morning');
    const again = async () => {
      const heard = await greeting(env.PORT).catch(() => 'not there');
      // It may not have been watching that file yet: whoever sees no change saves again.
      if (heard === 'hello ada') await writeFile(chat, edited);
      return heard;
    };
    await expect.poll(again, { timeout: TIMEOUT_MS / 2, interval: 2_000 }).toBe('good morning ada');
    // The edge would go on giving clients to a server that it takes for connected.
    for (let n = 0; n < 8; n++) expect(await greeting(env.PORT)).toBe('good morning ada');
  },
);
