import { information } from '@trunkline/settings';
import type { Program } from '@trunkline/settings';
import { runProcess } from './run-process.ts';
import type { Running } from './run-process.ts';
import { stopRequest } from './stop-request.ts';

/**
 * Runs one of our services with the arguments that this process was given, until it is asked to stop;
 * or prints what they ask to know of the program. How it ends is `runProcess`' to say.
 */
export async function runService(
  program: Program,
  start: (argv: readonly string[]) => Promise<Running>,
): Promise<never> {
  const argv = process.argv.slice(2);
  const asked = information(argv, program);
  const run = async () => {
    if (asked === undefined) return start(argv);
    process.stdout.write(asked);
    return undefined;
  };
  return runProcess(program.name, run, stopRequest(process));
}
