import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { SettingsError } from '@trunkline/settings';
import { TIMES } from './times.ts';

/** What runs in a process of its own. */
export interface Program<T> {
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** How long it may take to end, in milliseconds; then it is killed. */
  readonly stopMs: number;
  /** Where it says what it does. */
  readonly output: 'stdout' | 'stderr';
  /** What a line of its output says once it listens. */
  listens(line: string): T | undefined;
  /** Whether a line is worth a look. */
  isShown(line: string): boolean;
}

/** One program in a process of its own, for `npm start` and `npm run serverless`. */
export class ServiceProcess<T> {
  readonly name: string;
  /** Rejects when the process ends, unless `stop` was called. */
  readonly failed: Promise<never>;
  readonly #program: Program<T>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #stopping = false;

  /**
   * A process group of its own keeps the terminal's Ctrl-C from it, since services stop in order;
   * the channel ends ours should this process be killed.
   */
  constructor(program: Program<T>) {
    this.#program = program;
    this.name = program.name;
    this.#child = spawn(program.path, program.args, {
      env: { ...process.env, ...program.env },
      stdio: [
        'ignore',
        program.output === 'stdout' ? 'pipe' : 'inherit',
        program.output === 'stderr' ? 'pipe' : 'inherit',
        'ipc',
      ],
      detached: true,
    });
    this.#exited = once(this.#child, 'exit');
    this.failed = new Promise((_resolve, reject) => {
      this.#child.once('exit', (code, signal) => {
        if (!this.#stopping)
          reject(new SettingsError(`${program.name} has ended with ${signal ?? `code ${code}`}`));
      });
    });
    // Whoever waits for it may have stopped waiting.
    this.failed.catch(() => {});
  }

  /** Resolves with what says where it listens; kills what does not listen in time. */
  async listening(): Promise<T> {
    const timer = setTimeout(() => this.#kill(), TIMES.start);
    try {
      return await Promise.race([this.#listeningLine(), this.failed]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** SIGINT, at which no edge drains, and SIGKILL when it takes too long. Resolves when the process has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGINT');
    const { stopMs: ms } = this.#program;
    const timer = setTimeout(() => this.#giveUp(ms), ms);
    await this.#exited;
    clearTimeout(timer);
  }

  #giveUp(ms: number): void {
    const { name } = this.#program;
    process.stderr.write(`trunkline: ${name} did not end within ${ms} ms and is killed\n`);
    this.#kill();
  }

  /** With what it has started itself. */
  #kill(): void {
    try {
      process.kill(-this.#child.pid!, 'SIGKILL');
    } catch {
      this.#child.kill('SIGKILL'); // Windows has no process groups
    }
  }

  /** Follows the output for as long as the process runs: what is worth a look is shown. */
  #listeningLine(): Promise<T> {
    const { name, output } = this.#program;
    return new Promise((resolve) => {
      createInterface({ input: this.#child[output]! }).on('line', (line) => {
        const where = this.#program.listens(line);
        if (where !== undefined) resolve(where);
        if (this.#program.isShown(line)) process.stdout.write(`${name} ${line}\n`);
      });
    });
  }
}
