import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import jwt from 'jsonwebtoken';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

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
async function startService(stdio: 'ipc' | 'ignore', args: readonly string[] = ['--dev']) {
  const child = spawn(process.execPath, [MAIN, '--host', '127.0.0.1', '--port', '0', ...args], {
    env: cleanEnv(),
    stdio: ['ignore', 'pipe', 'inherit', stdio],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const lines: string[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line));
  const url = await vi.waitFor(() => {
    const found = /"url":"(http:\/\/127\.0\.0\.1:\d+)"/.exec(lines.join('\n'))?.[1];
    if (found === undefined) throw new Error(`the service does not listen: ${lines.join('\n')}`);
    return found;
  }, 15_000);
  return { child, exited, url, lines };
}

describe('wrong settings end the start with one line and code 1', () => {
  it.each([
    ['a bad port', ['--dev', '--port', 'http'], {}, "--port: 'http' is not an integer"],
    ['an unknown flag', ['--dev', '--prot', '1'], {}, 'unknown flag --prot'],
    ['an unknown variable', ['--dev'], { TRUNKLINE_PROT: '1' }, 'TRUNKLINE_PROT is not a setting'],
    ['no connection string', [], {}, 'no connection string'],
    ['no secret', ['--connection-string', 'Endpoint=http://h;AccessKey=k'], {}, 'no secret'],
    [
      'no hubs',
      ['--connection-string', 'Endpoint=http://h;AccessKey=k', '--secret', 's'.repeat(32)],
      {},
      'no hubs: set TRUNKLINE_NEGOTIATE_HUBS or --hubs',
    ],
    ['a weak secret', ['--secret', 's'], {}, 'make one with openssl rand -base64 32'],
    ['a lost secret file', ['--dev', '--secret-file', '/nowhere'], {}, '/nowhere cannot be read'],
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

  it('reads its secrets again on SIGHUP, and keeps the old ones when it cannot', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-negotiate-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const files = { secret: join(folder, 'secret'), connection: join(folder, 'connection-string') };
    const [first, second] = ['1'.repeat(32), '2'.repeat(32)] as const;
    writeFileSync(files.secret, first);
    writeFileSync(files.connection, 'Endpoint=http://first.example;AccessKey=k;\n');
    const { child, url, lines } = await startService('ignore', [
      '--hubs=chat',
      `--secret-file=${files.secret}`,
      `--connection-string-file=${files.connection}`,
    ]);
    const ask = async (secret: string) => {
      const token = jwt.sign({ sub: 'a' }, secret, { expiresIn: 60 });
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`${url}/chat/negotiate`, { method: 'POST', headers });
      return response.status === 200 ? ((await response.json()) as { url: string }).url : 'refused';
    };
    expect(await ask(first)).toContain('first.example');

    writeFileSync(files.secret, 'weak');
    child.kill('SIGHUP');
    await vi.waitFor(() => expect(lines.at(-1)).toContain('the old ones stay'), 10_000);
    expect(lines.at(-1)).toContain('a key of 4 bytes can be guessed');
    expect(await ask(first)).toContain('first.example');

    writeFileSync(files.secret, second);
    writeFileSync(files.connection, 'Endpoint=http://second.example;AccessKey=k;\n');
    child.kill('SIGHUP');
    await vi.waitFor(() => expect(lines.at(-1)).toContain('"secrets read again"'), 10_000);
    expect(await ask(second)).toContain('second.example');
    expect(await ask(first)).toBe('refused');
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
