import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { deadline } from '@trunkline/testing';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** With a build that finds most of it done. */
const START_MS = 60_000;
const NAMES = ['PORT', 'ADMIN_PORT', 'NEGOTIATE_PORT', 'CHAT_PORT'];

/** Settings that give every port of `npm start` to whatever is free. */
export const FREE_PORTS = Object.fromEntries(NAMES.map((name) => [`TRUNKLINE_${name}`, '0']));

interface StartOptions {
  readonly folder?: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** `npm start` in a process group of its own, with free ports. */
export class NpmStart implements AsyncDisposable {
  readonly npm: ChildProcess;
  output = '';

  /** `folder`: of the repository, or of a copy of it. */
  constructor({ folder = ROOT, args = [], env = {} }: StartOptions = {}) {
    this.npm = spawn('npm', ['start', '--', ...args], {
      cwd: folder,
      env: { ...process.env, ...FREE_PORTS, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.npm.stdout!, this.npm.stderr!]) {
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
  }

  /** Waits until everything runs. Rejects when it ends instead, or takes longer than so many ms. */
  async running(ms = START_MS): Promise<void> {
    const said = new Promise<void>((resolve, reject) => {
      this.npm.stdout!.on('data', () => {
        if (this.output.includes('Ctrl-C stops everything.')) resolve();
      });
      this.npm.once('exit', () => reject(new Error(`npm start has ended:\n${this.output}`)));
    });
    await deadline(said, ms, 'npm start does not run');
  }

  /** What is announced under a name. */
  url(name: string): string {
    const url = new RegExp(`${name} +(http://127\\.0\\.0\\.1:\\d+)`).exec(this.output)?.[1];
    if (url === undefined) throw new Error(`no ${name} in ${this.output}`);
    return url;
  }

  /** All that is announced under a name: the first in its line, others in lines below. */
  urls(name: string): string[] {
    const [lines] = new RegExp(`^  ${name} +\\S+$(?:\\n {10,}\\S+$)*`, 'm').exec(this.output) ?? [];
    if (lines === undefined) throw new Error(`no ${name} in ${this.output}`);
    return lines.match(/http:\S+/g) ?? [];
  }

  /** The processes that it has started, and those that they have. */
  descendants(): number[] {
    return descendants(this.npm.pid!);
  }

  /** The process of the edge, the negotiate service or the chat. */
  service(name: string): number {
    const main = `services/${name}/dist/main.js`;
    const found = this.descendants().find((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(main),
    );
    if (found === undefined) throw new Error(`${name} does not run`);
    return found;
  }

  [Symbol.asyncDispose](): Promise<void> {
    const { npm } = this;
    if (npm.exitCode === null && npm.signalCode === null) process.kill(-npm.pid!, 'SIGKILL');
    return Promise.resolve();
  }
}

function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return children
    .filter(Boolean)
    .flatMap((child) => [Number(child), ...descendants(Number(child))]);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
