import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, parse } from 'node:path';

import { startEdge } from '@trunkline/testing';
import { build, buildSync } from 'esbuild';
import type { BuildOptions } from 'esbuild';
import { afterAll, expect, test } from 'vitest';
import { webpack } from 'webpack';
import type { Configuration } from 'webpack';

import { ROOT } from './npm.ts';
import { APP, tryOut, working } from './try-out.ts';

/** Bundlers take a while on a busy machine. */
const TIMEOUT_MS = 120_000;

type Format = 'esm' | 'cjs';

const edge = await startEdge();
afterAll(() => edge.stop());

/**
 * Minified, as most are that run somewhere else, and without a word on how to treat the package. webpack's
 * minifier takes ten seconds, and does the same to both formats.
 */
const BUNDLERS: Readonly<Record<string, (script: string, format: Format) => Promise<void>>> = {
  async esbuild(script, format) {
    await build({ ...entry(script), bundle: true, minify: true, format });
  },
  async webpack(script, format) {
    // It takes no TypeScript by itself.
    const javaScript = `${script}.entry.mjs`;
    buildSync({ ...entry(javaScript), format: 'esm' });
    await pack(javaScript, script, format === 'esm');
    await rm(javaScript);
  },
};

function entry(outfile: string): BuildOptions {
  return {
    entryPoints: [join(APP, 'app.ts')],
    outfile,
    platform: 'node',
    logLevel: 'silent',
  };
}

function pack(from: string, script: string, module: boolean): Promise<void> {
  const { dir: path, base: filename } = parse(script);
  const configuration: Configuration = {
    mode: 'production',
    target: 'node20',
    entry: from,
    experiments: { outputModule: module },
    output: { path, filename, module },
    optimization: { minimize: module },
    // For the entry, which is not in the repository.
    resolve: { modules: ['node_modules', join(ROOT, 'node_modules')] },
  };
  return new Promise((resolve, reject) => {
    webpack(configuration, (error, stats) => {
      if (error !== null) reject(error);
      else if (stats?.hasErrors() === true) reject(new Error(stats.toString()));
      else resolve();
    });
  });
}

const CASES = Object.keys(BUNDLERS).flatMap((bundler) =>
  (['esm', 'cjs'] as const).map((format) => ({ bundler, format })),
);

test.each(CASES)(
  'an app bundled by $bundler as $format runs where nothing is installed',
  { timeout: TIMEOUT_MS },
  async ({ bundler, format }) => {
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-bundle-'));
    try {
      const script = join(folder, format === 'esm' ? 'app.mjs' : 'app.cjs');
      await BUNDLERS[bundler]!(script, format);
      expect(await tryOut(edge, process.execPath, script)).toEqual(working(process.version));
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
