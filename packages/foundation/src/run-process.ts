import { SettingsError } from '@trunkline/settings';

/** A stop that takes longer than this is ended; at rest a process has 10 s in all. */
const STOP_MS = 8_000;

/** What a process is once it has started. */
export interface Running {
  /** Ends cleanly; called once. */
  stop(): Promise<void>;
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
  try {
    const running = await start();
    if (running !== undefined) {
      await stopping;
      setTimeout(() => process.exit(1), STOP_MS).unref();
      await running.stop();
    }
  } catch (error) {
    process.stderr.write(`${name}: ${describe(error)}\n`);
    process.exit(1);
  }
  process.exit(0);
}

/** What the user can mend is told in one line; for anything else its stack is needed. */
function describe(error: unknown): string {
  if (error instanceof SettingsError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
