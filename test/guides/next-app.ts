import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { ProcessExit, StartedProcess } from '@trunkline/testing';
import { startProcess } from '@trunkline/testing';

import { npm, packAll } from '../package/npm.ts';
import { writePrograms } from './guide.ts';

const DEPENDENCIES = {
  '@microsoft/signalr': '10.0.11',
  next: '16.4.6',
  react: '19.3.1',
  'react-dom': '19.3.1',
};
const DEV_DEPENDENCIES = {
  '@types/node': '22.20.7',
  '@types/react': '19.3.3',
  typescript: '5.9.3',
};

const INSTALL_MS = 300_000;
const BUILD_MS = 300_000;
const READY_MS = 60_000;

/** The app of the guide for Next.js, installed in a folder of its own. */
export class NextApp {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Takes the SDK as `npm publish` would send it, from what is built. */
  static async install(folder: string, signal: AbortSignal): Promise<NextApp> {
    await writePrograms('next.md', folder);
    const packed = await packAll(folder);
    const own = packed.map(({ name, tarball }) => [name, `file:${tarball}`]);
    const manifest = {
      private: true,
      type: 'module',
      dependencies: { ...DEPENDENCIES, ...Object.fromEntries(own) },
      devDependencies: DEV_DEPENDENCIES,
    };
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
    const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'];
    await npm(['install', ...flags], folder, { timeout: INSTALL_MS, signal });
    return new NextApp(folder);
  }

  /** Has the hub greet in another way. */
  async edit(word: string): Promise<void> {
    const file = join(this.#folder, 'hubs', 'chat.ts');
    const code = await readFile(file, 'utf8');
    await writeFile(file, code.replace(/`.* (?=\$\{name\})/, `\`${word} `));
  }

  /** `next dev` or `next start`, listening. */
  serve(
    command: 'dev' | 'start',
    port: number,
    connectionString: string,
  ): Promise<StartedProcess<string>> {
    const signals = command === 'start' ? { NEXT_MANUAL_SIG_HANDLE: 'true' } : {};
    return startProcess(process.execPath, [this.#script, command, '--port', String(port)], {
      name: `next ${command}`,
      cwd: this.#folder,
      env: { ...ENVIRONMENT, ...signals, TRUNKLINE_CONNECTION_STRING: connectionString },
      ready: (line) => line.includes('Ready in') && line,
      readyTimeout: READY_MS,
    });
  }

  /** `next build`, to its end, without a connection string. */
  async build(): Promise<ProcessExit & { output: string }> {
    const build = await startProcess(process.execPath, [this.#script, 'build'], {
      name: 'next build',
      cwd: this.#folder,
      env: { ...ENVIRONMENT, TRUNKLINE_CONNECTION_STRING: undefined },
    });
    const hangs = setTimeout(() => build.child.kill('SIGKILL'), BUILD_MS);
    const exit = await build.exited;
    clearTimeout(hangs);
    return { ...exit, output: build.output() };
  }

  get #script(): string {
    return join(this.#folder, 'node_modules', 'next', 'dist', 'bin', 'next');
  }
}

/** Next.js sets NODE_ENV by its command, and warns of one that is set already. */
const ENVIRONMENT: NodeJS.ProcessEnv = { NODE_ENV: undefined, NEXT_TELEMETRY_DISABLED: '1' };
