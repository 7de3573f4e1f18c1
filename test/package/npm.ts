import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What npm says when there is no way to the registry. */
const UNREACHABLE =
  /npm error code (?:E(?:AI_AGAIN|CONNREFUSED|CONNRESET|HOSTUNREACH|NETUNREACH|NOTCACHED|NOTFOUND|TIMEDOUT)|ERR_SOCKET_TIMEOUT)/;

const TIMEOUT_MS = 60_000;

const run = promisify(execFile);

/** Runs npm; rejects when it fails, after so many milliseconds, and at the signal. */
export function npm(
  args: readonly string[],
  cwd: string,
  { timeout = TIMEOUT_MS, signal }: { timeout?: number; signal?: AbortSignal } = {},
): Promise<{ stdout: string }> {
  // On Windows npm is a script, which only a shell can start.
  return run('npm', [...args], { cwd, shell: process.platform === 'win32', timeout, signal });
}

/** A package as `npm publish` would send it. */
export interface Packed {
  readonly name: string;
  /** Its folder in the repository. */
  readonly folder: string;
  /** The path of the tarball. */
  readonly tarball: string;
  /** The paths in it. */
  readonly files: readonly string[];
  readonly manifest: Manifest;
}

export interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface PackReport {
  readonly name: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Packs the packages that are published together into a folder, from what is built already. */
export function packAll(into: string): Promise<Packed[]> {
  return Promise.all(
    ['protocol', 'tokens', 'sdk'].map(async (part) => {
      const folder = join(ROOT, 'packages', part);
      const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', into];
      const [report] = JSON.parse((await npm(args, folder)).stdout) as [PackReport];
      return {
        name: report.name,
        folder,
        tarball: join(into, report.filename),
        files: report.files.map(({ path }) => path),
        manifest: JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest,
      };
    }),
  );
}

/**
 * Installs into a folder; false when npm's cache lacks something and the registry is out of reach, or
 * does not hand it over within a minute.
 */
export async function install(folder: string, specs: readonly string[]): Promise<boolean> {
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'];
  try {
    await npm(['install', ...flags, '--fetch-retries=0', ...specs], folder);
    return true;
  } catch (error) {
    const { stderr = '', killed = false } = error as { stderr?: string; killed?: boolean };
    if (killed || UNREACHABLE.test(stderr)) return false;
    throw error;
  }
}
