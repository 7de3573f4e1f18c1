import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { deadline, startProcess, type StartedProcess } from '@trunkline/testing';

import { type Notice, TRANSPORTS } from './contract.ts';

const MAIN = fileURLToPath(new URL('./crowd-process.ts', import.meta.url));
/** Clients of a process: all of them want its time when something happens. */
const PER_PROCESS = 1_000;
const CONNECT_TIMEOUT_MS = 240_000;
const ANSWER_MS = 60_000;

/** Clients of every transport, in equal numbers. */
export class Crowd implements AsyncDisposable {
  readonly #processes: readonly StartedProcess<true>[];

  /** Resolves when all are connected. */
  static async start(url: string, size: number): Promise<Crowd> {
    const share = Math.ceil(size / TRANSPORTS.length);
    const parts = TRANSPORTS.flatMap((transport) =>
      sharesOf(share).map((count) =>
        startProcess(process.execPath, [MAIN, url, transport, `${count}`], {
          name: `${count} clients by ${transport}`,
          ipc: true,
          ready: (line) => line === 'connected' || undefined,
          readyTimeout: CONNECT_TIMEOUT_MS,
        }),
      ),
    );
    return new Crowd(await Promise.all(parts));
  }

  private constructor(processes: readonly StartedProcess<true>[]) {
    this.#processes = processes;
  }

  /** What they have noticed since the last time, and how many heard this roll. */
  async notice(roll: number): Promise<Notice> {
    const notices = await Promise.all(this.#processes.map((one) => ask(one, roll)));
    return notices.reduce(sum);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((one) => one.stop()));
  }
}

function sharesOf(count: number): number[] {
  const rest = count % PER_PROCESS;
  const full = Array.from({ length: Math.floor(count / PER_PROCESS) }, () => PER_PROCESS);
  return rest === 0 ? full : [...full, rest];
}

async function ask({ child }: StartedProcess<true>, roll: number): Promise<Notice> {
  const answered = once(child, 'message') as Promise<[Notice]>;
  child.send(roll);
  return (await deadline(answered, ANSWER_MS, 'clients do not say what they have noticed'))[0];
}

function sum(one: Notice, other: Notice): Notice {
  return {
    connected: one.connected + other.connected,
    calls: one.calls + other.calls,
    failed: one.failed + other.failed,
    open: one.open + other.open,
    lost: one.lost + other.lost,
    waits: [...one.waits, ...other.waits],
    missed: one.missed + other.missed,
    disorder: one.disorder + other.disorder,
    present: one.present + other.present,
    longestCall: Math.max(one.longestCall, other.longestCall),
  };
}
