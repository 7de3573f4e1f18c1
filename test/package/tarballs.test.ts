import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import type { Problem } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, describe, expect, test } from 'vitest';

import { packAll } from './npm.ts';

const folder = await mkdtemp(join(tmpdir(), 'trunkline-pack-'));
const packages = await packAll(folder);
afterAll(() => rm(folder, { recursive: true }));

/** What attw calls the ESM-only profile: `require` and the resolution of Node 10 are not for us. */
const NOT_FOR_US = new Set(['node10', 'node16-cjs']);

function concernsUs(problem: Problem): boolean {
  return !('resolutionKind' in problem && NOT_FOR_US.has(problem.resolutionKind));
}

describe.each(packages)('$name', ({ folder: source, tarball, files, manifest }) => {
  test('has types that fit what runs, says attw', async () => {
    const data = new Uint8Array(await readFile(tarball));
    const analysis = await checkPackage(createPackageFromTarballData(data));
    expect(analysis.types).toEqual({ kind: 'included' });
    expect('problems' in analysis && analysis.problems.filter(concernsUs)).toEqual([]);
  });

  test('is packaged well, says publint', async () => {
    const { buffer } = new Uint8Array(await readFile(tarball));
    const { messages, pkg } = await publint({ strict: true, pack: { tarball: buffer } });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test('holds what runs, its source, and no tests', () => {
    const top = new Set(files.map((file) => file.split('/')[0]));
    expect([...top].toSorted()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json', 'src']);
    expect(files.filter((file) => /\.test|test-support|vectors|tsbuildinfo/.test(file))).toEqual(
      [],
    );
    const built = files.flatMap((file) => /^dist\/(.+)\.js$/.exec(file)?.[1] ?? []);
    const sources = files.flatMap((file) => /^src\/(.+)\.ts$/.exec(file)?.[1] ?? []);
    expect(built.toSorted()).toEqual(sources.toSorted());
  });

  test('has a page that links to nothing outside', async () => {
    const page = await readFile(join(source, 'README.md'), 'utf8');
    const links = [...page.matchAll(/\]\(([^)#\s]+)/g)].map(([, link]) => link!);
    const local = links.filter((link) => !/^[a-z]+:/.test(link));
    expect(local.filter((link) => !files.includes(link))).toEqual([]);
  });

  test('names exact versions, those of this repository where they are its own', () => {
    const own = new Map(packages.map((one) => [one.name, one.manifest.version]));
    const dependencies = Object.entries(manifest.dependencies ?? {});
    const exact = dependencies.map(([name, version]) => [
      name,
      name.startsWith('@trunkline/') ? own.get(name) : /^\d+\.\d+\.\d+$/.exec(version)?.[0],
    ]);
    expect(dependencies).toEqual(exact);
  });
});
