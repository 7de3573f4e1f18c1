import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Linux counts CPU time for programs in hundredths of a second on every architecture. */
const TICKS_PER_SECOND = 100;
const SAMPLE_INTERVAL_MS = 250;
const SETTLE_TIMEOUT_MS = 20_000;
/** Three samples in a row this close to each other are taken to be at rest. */
const REST_BYTES = 128 * 1024;

/** CPU time a process has used so far, all threads, user and system together. */
export function cpuMicroseconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is a name in brackets, which may hold spaces; user time is the 14th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_SECOND;
}

/** Resident memory of a process, in bytes, right now. */
export function residentBytes(pid: number): number {
  return memory(pid, 'VmRSS');
}

/** The most of it that there has been. */
export function peakResidentBytes(pid: number): number {
  return memory(pid, 'VmHWM');
}

function memory(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status);
  if (kibibytes === null) throw new Error(`process ${pid} has ended`);
  return Number(kibibytes[1]) * 1024;
}

/**
 * Resident memory of a process started with `SETTLE_ARGS`, in bytes, once it has collected its
 * garbage and come to rest. Takes the latest sample when it does not come to rest in time.
 */
export async function settledBytes(pid: number): Promise<number> {
  process.kill(pid, 'SIGUSR2');
  const until = performance.now() + SETTLE_TIMEOUT_MS;
  const samples = [residentBytes(pid)];
  while (performance.now() < until) {
    await sleep(SAMPLE_INTERVAL_MS);
    samples.push(residentBytes(pid));
    const latest = samples.slice(-4);
    if (latest.length === 4 && Math.max(...latest) - Math.min(...latest) <= REST_BYTES) break;
  }
  return samples.at(-1)!;
}

/** Makes a Node process collect its garbage on SIGUSR2, whatever its program is. */
export const SETTLE_ARGS = [
  '--expose-gc',
  '--import',
  new URL('./collect-garbage.ts', import.meta.url).href,
];
