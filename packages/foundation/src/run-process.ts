import { SettingsError } from '@trunkline/settings';

/** A stop that takes longer than this is ended; at rest a process has 10 s in all. */
const STOP_MS = 8_000;

/** What a process is once it has started. */
export interface Running {
  /** Ends cleanly; called once. */
  stop(): Promise<void>;
  /** Rejects when the process cannot go on: it is stopped and ends with code 1. */
  readonly failed?: Promise<never>;
}

/**
 * Runs a process from its start to its exit: `start` answers what runs, or undefined when all is
 * done (`--help`). It ends with code 0 when `stopping` resolves and `stop()` has. What is wrong
 * with the settings, or keeps it from starting, is one line on stderr and code 1.
 */
export async function runProcess(
  name: string,
  start: () => Promise<Running | undefined>,
  stopping: Promise<void>,
): Promise<never> {
  let code = 0;
  const fail = (error: unknown): void => {
    process.stderr.write(`${name}: ${describe(error)}\n`);
    code = 1;
  };
  try {
    const running = await start();
    if (running !== undefined) {
      await Promise.race([stopping, running.failed ?? stopping]).catch(fail);
      setTimeout(() => process.exit(1), STOP_MS).unref();
      await running.stop();
    }
  } catch (error) {
    fail(error);
  }
  process.exit(code);
}

/** What the user can mend is told in one line; for anything else its stack is needed. */
function describe(error: unknown): string {
  if (error instanceof SettingsError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
