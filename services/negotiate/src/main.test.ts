import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run npm run build first`);

/** This process's environment without anybody's settings. */
function cleanEnv(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !name.startsWith('TRUNKLINE_'));
  return { ...Object.fromEntries(entries), ...more };
}

function run(args: readonly string[], env: Record<string, string> = {}) {
  return spawnSync(process.execPath, [MAIN, ...args], {
    env: cleanEnv(env),
    encoding: 'utf8',
    timeout: 10_000,
  });
}

/** Starts the service on a free port and waits for the line with its URL. */
async function startService(stdio: 'ipc' | 'ignore') {
  const child = spawn(process.execPath, [MAIN, '--dev', '--port', '0'], {
    env: cleanEnv(),
    stdio: ['ignore', 'pipe', 'inherit', stdio],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  for await (const line of createInterface({ input: child.stdout! })) {
    const url = /"url":"(http:\/\/127\.0\.0\.1:\d+)"/.exec(line)?.[1];
    if (url !== undefined) return { child, exited, url };
  }
  throw new Error('the service ended before it was ready');
}

describe('wrong settings end the start with one line and code 1', () => {
  it.each([
    ['a bad port', ['--dev', '--port', 'http'], {}, "--port: 'http' is not an integer"],
    ['an unknown flag', ['--dev', '--prot', '1'], {}, 'unknown flag --prot'],
    ['an unknown variable', ['--dev'], { TRUNKLINE_PROT: '1' }, 'TRUNKLINE_PROT is not a setting'],
    ['no connection string', [], {}, 'no connection string'],
    ['no secret', ['--connection-string', 'Endpoint=http://h;AccessKey=k'], {}, 'no secret'],
    ['a lost config file', ['--config', '/nowhere.json'], {}, 'cannot read the config file'],
  ])('%s', (_, args, env, message) => {
    const { status, stdout, stderr } = run(args, env);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^trunkline-negotiate: [^\n]+\n$/);
    expect(stderr).toContain(message);
  });

  it('a port that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    const { status, stderr } = run(['--dev', '--port', String(port), '--log-level', 'silent']);
    expect(status).toBe(1);
    expect(stderr).toBe(
      `trunkline-negotiate: cannot listen on 127.0.0.1 port ${port} (EADDRINUSE): choose another --host or --port\n`,
    );
  });
});

it('prints every option with --help, whatever else is wrong', () => {
  const { status, stdout, stderr } = run(['--help', '--prot'], { TRUNKLINE_PROT: '1' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('--port <0..65535>   TRUNKLINE_NEGOTIATE_PORT');
  expect(stdout).toContain('--config <text>   TRUNKLINE_CONFIG');
});

describe('the running service', () => {
  it('answers, and ends with code 0 on a signal that comes twice', async () => {
    const { child, exited, url } = await startService('ignore');
    const response = await fetch(`${url}/chat/negotiate?user=a`, { method: 'POST' });
    expect(response.status).toBe(200);
    child.kill('SIGINT');
    child.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
  });

  it('ends with code 0 on SIGTERM', async () => {
    const { child, exited } = await startService('ignore');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });

  it('ends with code 0 when its parent goes', async () => {
    const { child, exited } = await startService('ipc');
    child.disconnect();
    expect(await exited).toEqual([0, null]);
  });
});
