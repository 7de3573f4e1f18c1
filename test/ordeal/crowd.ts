import { fileURLToPath } from 'node:url';

import { askProcess, startProcess, type StartedProcess } from '@trunkline/testing';

import { type Habits, type Notice, SHARES } from './contract.ts';

const MAIN = fileURLToPath(new URL('./crowd-process.ts', import.meta.url));
/** Clients of a process: all of them want its time when something happens. */
const PER_PROCESS = 1_000;
const CONNECT_TIMEOUT_MS = 240_000;
const ANSWER_MS = 60_000;

/** Clients of every transport. */
export class Crowd implements AsyncDisposable {
  readonly #processes: readonly StartedProcess<true>[];

  /** Resolves when all are connected. */
  static async start(urls: readonly string[], size: number, habits: Habits): Promise<Crowd> {
    const parts = Object.entries(SHARES).flatMap(([transport, share]) =>
      processesFor(Math.round(size * share)).map((count, at) =>
        startProcess(
          process.execPath,
          [MAIN, urls[at % urls.length]!, transport, `${count}`, JSON.stringify(habits)],
          {
            name: `${count} clients by ${transport}`,
            ipc: true,
            ready: (line) => line === 'connected' || undefined,
            readyTimeout: CONNECT_TIMEOUT_MS,
          },
        ),
      ),
    );
    const started = (await Promise.allSettled(parts)).flatMap((part) =>
      part.status === 'fulfilled' ? part.value : [],
    );
    const crowd = new Crowd(started);
    // One that could not start must not leave the others behind.
    if (started.length < parts.length) await crowd[Symbol.asyncDispose]();
    await Promise.all(parts);
    return crowd;
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

/** How many clients each of them has. */
function processesFor(count: number): number[] {
  const rest = count % PER_PROCESS;
  const full = Array.from({ length: Math.floor(count / PER_PROCESS) }, () => PER_PROCESS);
  return rest === 0 ? full : [...full, rest];
}

const ask = (one: StartedProcess<true>, roll: number): Promise<Notice> =>
  askProcess<Notice>(one, roll, ANSWER_MS, 'clients do not say what they have noticed');

function sum(one: Notice, other: Notice): Notice {
  return {
    connected: one.connected + other.connected,
    calls: one.calls + other.calls,
    failed: one.failed + other.failed,
    open: one.open + other.open,
    lost: one.lost + other.lost,
    waits: [...one.waits, ...other.waits],
    missed: one.missed + other.missed,
    late: one.late + other.late,
    twice: one.twice + other.twice,
    present: one.present + other.present,
    longestCall: Math.max(one.longestCall, other.longestCall),
  };
}
