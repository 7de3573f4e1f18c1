import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EDGE_ENVIRONMENT } from '@trunkline/foundation';
import { SettingsError } from '@trunkline/settings';
import { TIMES } from './times.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** The key is the one for development, whatever this shell has for other edges. */
const NO_KEYS = {
  TRUNKLINE_ACCESS_KEYS: undefined,
  TRUNKLINE_ACCESS_KEYS_FILE: undefined,
  TRUNKLINE_CONNECTION_STRING_FILE: undefined,
};

/** A log line: its fields. */
type Entry = Readonly<Record<string, unknown>>;

/** One built service in a process of its own, for `npm start`. */
export class ServiceProcess {
  readonly name: string;
  /** Rejects when the process ends, unless `stop` was called. */
  readonly failed: Promise<never>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #stopping = false;

  /**
   * A process group of its own keeps the terminal's Ctrl-C from it, since services stop in order;
   * the channel ends it should this process be killed.
   */
  constructor(name: string, env: NodeJS.ProcessEnv) {
    this.name = name;
    this.#child = spawn(
      process.execPath,
      [join(ROOT, 'services', name, 'dist', 'main.js'), '--dev'],
      {
        env: { ...EDGE_ENVIRONMENT, ...process.env, ...NO_KEYS, ...env },
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
        detached: true,
      },
    );
    this.#exited = once(this.#child, 'exit');
    this.failed = new Promise((_resolve, reject) => {
      this.#child.once('exit', (code, signal) => {
        if (!this.#stopping)
          reject(new SettingsError(`${name} has ended with ${signal ?? `code ${code}`}`));
      });
    });
    // Whoever waits for it may have stopped waiting.
    this.failed.catch(() => {});
  }

  /** Resolves with the log line that says where it listens; kills what does not listen in time. */
  async listening(): Promise<Entry> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), TIMES.start);
    try {
      return await Promise.race([this.#listeningLine(), this.failed]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** SIGTERM, and SIGKILL after `ms`. Resolves when the process has ended. */
  async stop(ms: number): Promise<void> {
    this.#stopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#giveUp(ms), ms);
    await this.#exited;
    clearTimeout(timer);
  }

  #giveUp(ms: number): void {
    process.stderr.write(`trunkline: ${this.name} did not end within ${ms} ms and is killed\n`);
    this.#child.kill('SIGKILL');
  }

  /** Follows the log for as long as the process runs: what is worth a look is shown. */
  #listeningLine(): Promise<Entry> {
    return new Promise((resolve) => {
      createInterface({ input: this.#child.stdout! }).on('line', (line) => {
        const entry = parse(line);
        if (typeof entry['msg'] === 'string' && entry['msg'].endsWith('listening')) resolve(entry);
        if (entry['level'] !== 'info') process.stdout.write(`${this.name} ${line}\n`);
      });
    });
  }
}

function parse(line: string): Entry {
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return {};
  }
}
