import { information } from '@trunkline/settings';
import type { Program } from '@trunkline/settings';
import { holdHangUps } from './harmful-signals.ts';
import { runProcess } from './run-process.ts';
import type { Running } from './run-process.ts';
import { stopRequest } from './stop-request.ts';

/**
 * Runs one of our services with the arguments that this process was given, until it is asked to stop;
 * or prints what they ask to know of the program. How it ends is `runProcess`' to say. SIGHUP waits until
 * it has started.
 */
export async function runService(
  program: Program,
  start: (argv: readonly string[]) => Promise<Running>,
): Promise<never> {
  const releaseHangUps = holdHangUps(process);
  const argv = process.argv.slice(2);
  const asked = information(argv, program);
  const run = async () => {
    if (asked === undefined) {
      const running = await start(argv);
      releaseHangUps();
      return running;
    }
    process.stdout.write(asked);
    return undefined;
  };
  return runProcess(program.name, run, stopRequest(process));
}
