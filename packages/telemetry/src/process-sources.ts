import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Sources } from './registry.ts';

/** The metrics that have the same source in every process. */
export type ProcessSources = Pick<
  Sources,
  | Extract<keyof Sources, `process_${string}`>
  | 'trunkline_build_info'
  | 'trunkline_event_loop_delay_seconds'
>;

/** How often the event loop's delay is sampled, in milliseconds. */
const SAMPLE_INTERVAL_MS = 20;

/** Starts watching the event loop, for as long as the process lives, without keeping it alive. */
export function processSources(version: string): ProcessSources {
  const started = Date.now() / 1000 - process.uptime();
  const maxFds = readMaxFds();
  return {
    process_cpu_seconds_total: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
    process_resident_memory_bytes: () => process.memoryUsage.rss(),
    process_open_fds: countOpenFds,
    process_max_fds: () => maxFds,
    process_start_time_seconds: () => started,
    trunkline_build_info: () => [[{ version, node: process.versions.node }, 1]],
    trunkline_event_loop_delay_seconds: eventLoopDelay(),
  };
}

/** Nanoseconds of the whole interval are sampled, and nothing is known before the first sample. */
function eventLoopDelay(): ProcessSources['trunkline_event_loop_delay_seconds'] {
  const monitor = monitorEventLoopDelay({ resolution: SAMPLE_INTERVAL_MS });
  monitor.enable();
  const delay = (nanoseconds: number): number =>
    monitor.count === 0 ? 0 : Math.max(0, nanoseconds / 1e9 - SAMPLE_INTERVAL_MS / 1000);
  return () => {
    const p50 = delay(monitor.percentile(50));
    const p99 = delay(monitor.percentile(99));
    const max = delay(monitor.max);
    monitor.reset();
    return [
      [{ statistic: 'p50' }, p50],
      [{ statistic: 'p99' }, p99],
      [{ statistic: 'max' }, max],
    ];
  };
}

/** In the background: with 100,000 connections the list takes a while. */
async function countOpenFds(): Promise<number | undefined> {
  try {
    return (await readdir('/proc/self/fd')).length;
  } catch {
    return undefined; // not Linux
  }
}

function readMaxFds(): number | undefined {
  try {
    const soft = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined; // not Linux
  }
}
