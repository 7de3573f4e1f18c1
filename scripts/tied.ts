/**
 * Runs a program that is none of ours, and ends it when whoever has started this process ends, however
 * that comes: `tied.ts <program> [its arguments]`. What it writes goes where this process writes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { runProcess, stopRequest } from '@trunkline/foundation';
import type { Running } from '@trunkline/foundation';
import { SettingsError } from '@trunkline/settings';

const [program = '', ...args] = process.argv.slice(2);

async function start(): Promise<Running> {
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = once(child, 'exit');
  await once(child, 'spawn');
  const failed = ended.then((): never => {
    throw new SettingsError(`${program} has ended`);
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  return { stop, failed };
}

await runProcess('trunkline', start, stopRequest(process));
