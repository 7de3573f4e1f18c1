import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PORTS = {
  TRUNKLINE_PORT: '0',
  TRUNKLINE_ADMIN_PORT: '0',
  TRUNKLINE_NEGOTIATE_PORT: '0',
  TRUNKLINE_CHAT_PORT: '0',
};

let npm: ChildProcess | undefined;

afterEach(() => {
  if (npm?.exitCode === null && npm.signalCode === null) process.kill(-npm.pid!, 'SIGKILL');
});

/** `npm start`, in a process group of its own, with free ports. */
function npmStart(): { output: () => string; said: (text: string) => Promise<void> } {
  const child = spawn('npm', ['start'], {
    cwd: ROOT,
    env: { ...process.env, ...PORTS },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  npm = child;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const said = async (text: string): Promise<void> => {
    await expect.poll(() => output, { timeout: 60_000 }).toContain(text);
  };
  return { output: () => output, said };
}

/** The processes below a process, itself aside, as far as they are known to the system. */
function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return children
    .filter(Boolean)
    .flatMap((child) => [Number(child), ...descendants(Number(child))]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const url = (output: string, name: string): string =>
  new RegExp(`${name} +(http://127\\.0\\.0\\.1:\\d+)`).exec(output)?.[1] ??
  `no ${name} in ${output}`;

it('serves the chat, and ends with all its children when npm is told to', async () => {
  const { output, said } = npmStart();
  await said('Ctrl-C stops everything.');
  const page = await fetch(url(output(), 'Chat sample'));
  expect(page.status).toBe(200);
  const negotiate = await fetch(`${url(output(), 'Negotiate service')}/chat/negotiate?user=ann`, {
    method: 'POST',
  });
  expect(await negotiate.json()).toMatchObject({ negotiateVersion: 0 });
  const below = descendants(npm!.pid!);
  expect(below.length).toBeGreaterThanOrEqual(5);
  npm!.kill('SIGTERM');
  await expect.poll(() => below.filter(isAlive), { timeout: 10_000 }).toEqual([]);
}, 90_000);

it('takes a signal that comes twice, as from a terminal through npm, as one', async () => {
  const { output, said } = npmStart();
  await said('Ctrl-C stops everything.');
  const exited = once(npm!, 'exit');
  process.kill(-npm!.pid!, 'SIGINT');
  process.kill(-npm!.pid!, 'SIGINT');
  await exited;
  await expect.poll(output).toContain('Trunkline has stopped.');
}, 90_000);
