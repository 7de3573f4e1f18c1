import { startEdge, startProcess } from '@trunkline/testing';
import type { StartedEdge, StartedProcess } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { afterAll, beforeAll, expect, test } from 'vitest';

const POLL = { timeout: 10_000 };

let edge: StartedEdge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge?.stop());

/** Has Node itself believe that the machine is called so. */
function named(machine: string): string {
  const code = `import os from 'node:os';
    import { syncBuiltinESMExports } from 'node:module';
    os.hostname = () => ${JSON.stringify(machine)};
    syncBuiltinESMExports();`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

/** An app of the built SDK, on a machine of this name, with the hub methods given. */
function startApp(machine: string, path: string, methods: string): Promise<StartedProcess<string>> {
  const code = `
    import { createServer, Hub } from '@trunkline/sdk';
    const server = createServer({ connectionCount: 2 });
    server.hub('${path}', class extends Hub { ${methods} });
    await server.start();
    console.log('connected');
    process.once('SIGTERM', () => server.stop({ timeout: 100 }).then(() => process.exit()));`;
  const connectionString = formatConnectionString(edge.url, DEVELOPMENT_ACCESS_KEY);
  const flags = ['--import', named(machine), '--input-type=module', '--eval', code];
  return startProcess(process.execPath, flags, {
    name: `the app on ${machine}`,
    cwd: import.meta.dirname,
    env: { TRUNKLINE_CONNECTION_STRING: connectionString },
    ready: (line) => line === 'connected' && line,
  });
}

const lines = () =>
  edge
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const warnings = (hub: string) =>
  lines().filter((line) => line['level'] === 'warn' && line['hub'] === hub);

test('the edge warns once of two apps under one hub key, whatever their machines are called', async () => {
  await using _first = await startApp('办公室', '/shop', 'buy() {}');
  await using _again = await startApp('Ada’s MacBook', '/shop', 'buy() {}');
  await using _board = await startApp('🐙', '/board', 'post() {}');
  expect(warnings('shop')).toEqual([]);
  await using _other = await startApp('Bücherstube', '/shop', 'sell() {}');
  const connected = () =>
    new Set(
      lines()
        .filter(({ msg }) => msg === 'server connected')
        .map(({ serverId }) => (serverId as string).replace(/_[0-9a-f]{32}$/, '')),
    );
  await expect.poll(connected, POLL).toEqual(new Set(['machine', 'Ada-s-MacBook', 'Bucherstube']));
  expect(warnings('shop')).toMatchObject([
    {
      serverId: expect.stringMatching(/^machine_/) as string,
      otherServerId: expect.stringMatching(/^Bucherstube_/) as string,
      offer: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      otherOffer: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
    },
  ]);
  expect(warnings('board')).toEqual([]);
});
