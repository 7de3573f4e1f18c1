import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const EDGE_MAIN = fileURLToPath(
  new URL('../../../services/edge/dist/main.js', import.meta.url),
);

const DEADLINE_MS = 30_000;

export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs an edge that is to end by itself, without the `TRUNKLINE_*` variables of this process. One
 * that has not ended after 15 s is killed, and its code is null.
 */
export async function runEdge(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('TRUNKLINE_'));
  const child = spawn(process.execPath, [EDGE_MAIN, ...args], {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: DEADLINE_MS,
    killSignal: 'SIGKILL',
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await exited, stdout, stderr };
}
