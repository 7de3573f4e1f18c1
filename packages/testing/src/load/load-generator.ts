import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { askProcess } from '../launch/ask-process.ts';
import { startProcess, type StartedProcess } from '../launch/process.ts';
import type { Commands, Reply } from './commands.ts';

/** Beside this file and of its kind: source where tests run, JavaScript where it is built. */
const MAIN = fileURLToPath(new URL(`./generator${extname(import.meta.url)}`, import.meta.url));

/** A load generator: clients of hub `bench` in a process of their own. */
export class LoadGenerator {
  /** Where its clients connect. */
  readonly url: string;
  readonly #process: StartedProcess<true>;

  /** Starts a generator for the edge, or whatever speaks like one, at `url`. */
  static async start(url: string): Promise<LoadGenerator> {
    const ready = (line: string): true | undefined => line === 'load generator ready' || undefined;
    const options = { name: 'load generator', ipc: true, ready };
    return new LoadGenerator(url, await startProcess(process.execPath, [MAIN, url], options));
  }

  private constructor(url: string, started: StartedProcess<true>) {
    this.url = url;
    this.#process = started;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /**
   * Has the generator do one thing and gives its answer. Rejects when it takes longer than
   * `timeout` milliseconds, when a client has been lost, and when the generator has ended.
   */
  async do<Name extends keyof Commands>(
    command: Name,
    options: Commands[Name]['options'],
    timeout: number,
  ): Promise<Commands[Name]['answer']> {
    const late = `${command} took over ${timeout} ms`;
    const message = await askProcess<Reply>(this.#process, { command, options }, timeout, late);
    if ('error' in message) throw new Error(`${command}: ${message.error}`);
    return message.answer as Commands[Name]['answer'];
  }

  /** Ends the process, and all connections with it. */
  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
