import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { deadline } from '../launch/deadline.ts';
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
    const { child, exited } = this.#process;
    const replied = once(child, 'message') as Promise<[Reply]>;
    const ended = exited.then((): never => {
      throw new Error(`the load generator ended:\n${this.#process.output()}`);
    });
    child.send({ command, options });
    const reply = Promise.race([replied, ended]);
    const [message] = await deadline(reply, timeout, `${command} took over ${timeout} ms`);
    if ('error' in message) throw new Error(`${command}: ${message.error}`);
    return message.answer as Commands[Name]['answer'];
  }

  /** Ends the process, and all connections with it. */
  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
