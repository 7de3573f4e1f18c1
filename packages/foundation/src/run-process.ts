import { SettingsError } from '@trunkline/settings';
import { ignoreHarmfulSignals } from './harmful-signals.ts';
import { oneLine } from './one-line.ts';

/** A stop that takes longer than this is ended; at rest a process has 10 s in all. */
const STOP_MS = 8_000;

/** What a process is once it has started. */
export interface Running {
  /** How long the stop may take beyond the usual, in milliseconds. */
  readonly drainMs?: number;
  /** Ends cleanly; called once, with why: a signal's name, or what went wrong. */
  stop(why: string): Promise<void>;
  /** Rejects when the process cannot go on: it is stopped and ends with code 1. */
  readonly failed?: Promise<never>;
}

/**
 * Runs a process from its start to its exit: `start` answers what runs, or undefined when all is
 * done (`--help`). It ends with code 0 when `stopping` resolves and `stop()` has. What is wrong
 * with the settings, or keeps it from starting, is one line on stderr and code 1. Signals that would
 * do harm are swallowed from now on.
 */
export async function runProcess(
  name: string,
  start: () => Promise<Running | undefined>,
  stopping: Promise<string>,
): Promise<never> {
  ignoreHarmfulSignals(process);
  let code = 0;
  const fail = (error: unknown): string => {
    const why = describe(error);
    process.stderr.write(`${name}: ${why}\n`);
    code = 1;
    return why;
  };
  try {
    const running = await start();
    if (running !== undefined) {
      const why = await Promise.race([stopping, running.failed ?? stopping]).catch(fail);
      const ms = STOP_MS + (running.drainMs ?? 0);
      setTimeout(() => process.exit(1), ms).unref();
      await running.stop(why);
    }
  } catch (error) {
    fail(error);
  }
  process.exit(code);
}

/** What the user can mend is told in one line; for anything else its stack is needed. */
function describe(error: unknown): string {
  if (error instanceof SettingsError) return oneLine(error.message);
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
