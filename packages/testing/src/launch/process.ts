import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { deadline } from './deadline.ts';
import { freeze } from './freeze.ts';
import { killGroup, killWithUs } from './process-group.ts';

/** How much of a process's output is kept, in characters. */
const OUTPUT_LIMIT = 256 * 1024;

export interface ProcessOptions<Ready> {
  /** What error messages call the process; the command when not given. */
  name?: string;
  /** Merged over this process's environment; `undefined` takes a variable away. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Opens an IPC channel, for `child.send` and its `message` events. */
  ipc?: boolean;
  /**
   * Called with each line of output until it answers something other than `undefined` or `false`:
   * the process is ready then, and the answer becomes its `ready`. Not given: the first line.
   */
  ready?: (line: string) => Ready | undefined | false;
  /** Milliseconds to become ready; 15,000 when not given. */
  readyTimeout?: number;
  /** Milliseconds between SIGTERM and SIGKILL in `stop()`; 10,000 when not given. */
  stopTimeout?: number;
}

/** How a process ended. The signal is `SIGKILL` when it did not heed SIGTERM in time. */
export interface ProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process that has been ready; it may have ended since. */
export interface StartedProcess<Ready> extends AsyncDisposable {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly ready: Ready;
  /** Resolves when the process and all its output have ended, whoever ended it. */
  readonly exited: Promise<ProcessExit>;
  /** The latest 256 K characters or more of what the process wrote, on both streams. */
  output(): string;
  /** SIGSTOP; resolves when the process stands still, and rejects where it has ended. */
  freeze(): Promise<void>;
  /** SIGCONT; does nothing where the process has ended. */
  thaw(): void;
  /** Thawed and SIGTERM, then SIGKILL at the deadline. What the process started ends with it. */
  stop(): Promise<ProcessExit>;
}

/**
 * Starts a process and waits until it says that it is ready. Rejects, with the end of its output,
 * when it cannot be spawned, ends early or misses the deadline, and leaves nothing running then.
 * The process leads a process group of its own, which is killed when this process ends first.
 */
export async function startProcess<Ready = string>(
  command: string,
  args: readonly string[],
  options: ProcessOptions<Ready> = {},
): Promise<StartedProcess<Ready>> {
  const { name = command, readyTimeout = 15_000, stopTimeout = 10_000 } = options;
  const child = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc === true ? (['ipc'] as const) : [])],
    detached: true,
  });
  const lines = new Lines(child);
  const pid = await spawned(child, name);
  const exited = watchExit(child, pid);
  killWithUs(pid, exited);
  try {
    const endedEarly = exited.then(({ code, signal }): never => {
      throw new Error(`${name} ended with ${signal ?? `code ${code}`} before it was ready`);
    });
    const ready = await deadline(
      Promise.race([lines.first(options.ready ?? ((line) => line as Ready)), endedEarly]),
      readyTimeout,
      `${name} was not ready after ${readyTimeout} ms`,
    );
    const stop = (): Promise<ProcessExit> => terminate(child, pid, exited, stopTimeout);
    return {
      pid,
      child,
      ready,
      exited,
      output: () => lines.text,
      freeze: () => freeze(pid),
      thaw: () => void child.kill('SIGCONT'),
      stop,
      [Symbol.asyncDispose]: async () => void (await stop()),
    };
  } catch (error) {
    killGroup(pid);
    await exited;
    const { message } = error as Error;
    throw new Error(`${message}\n${lines.text.slice(-4096)}`.trimEnd(), { cause: error });
  }
}

async function spawned(child: ChildProcess, name: string): Promise<number> {
  try {
    await once(child, 'spawn');
  } catch (error) {
    throw new Error(`${name} could not be started: ${(error as Error).message}`, { cause: error });
  }
  return child.pid!;
}

/** Waits for `close`, not `exit`, so that no output is missed: what still holds the pipes must end. */
async function watchExit(child: ChildProcess, pid: number): Promise<ProcessExit> {
  child.once('exit', () => killGroup(pid));
  await once(child, 'close');
  return { code: child.exitCode, signal: child.signalCode };
}

async function terminate(
  child: ChildProcess,
  pid: number,
  exited: Promise<ProcessExit>,
  timeout: number,
): Promise<ProcessExit> {
  child.kill('SIGTERM');
  child.kill('SIGCONT');
  const timer = setTimeout(() => killGroup(pid), timeout);
  return exited.finally(() => clearTimeout(timer));
}

/** What a process writes, line by line, the latest part of it kept. */
class Lines {
  text = '';
  readonly #listeners = new Set<(line: string) => void>();

  constructor(child: ChildProcess) {
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => this.#add(line));
    }
  }

  /** The first answer to a line other than `undefined` or `false`; later lines are not asked. */
  first<T>(accept: (line: string) => T | undefined | false): Promise<T> {
    return new Promise((resolve, reject) => {
      const listener = (line: string): void => {
        try {
          const answer = accept(line);
          if (answer === undefined || answer === false) return;
          resolve(answer);
        } catch (error) {
          reject(error);
        }
        this.#listeners.delete(listener);
      };
      this.#listeners.add(listener);
    });
  }

  #add(line: string): void {
    this.text += `${line}\n`;
    if (this.text.length > 2 * OUTPUT_LIMIT) this.text = this.text.slice(-OUTPUT_LIMIT);
    for (const listener of this.#listeners) listener(line);
  }
}
