import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { NATS, startNats, startProcess } from '@trunkline/testing';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { builtServices, execForm, interpolate, readStages, ROOT } from './deploy-files.ts';

const run = promisify(execFile);

const ACCESS_KEY = 'an access key of the images test';
const SECRETS = {
  'access-keys': ACCESS_KEY,
  'connection-string': `Endpoint=http://127.0.0.1:9;AccessKey=${ACCESS_KEY};`,
  'negotiate-secret': 'a negotiate secret of the images test',
};
const GIVEN = { TRUNKLINE_NEGOTIATE_HUBS: 'chat' };
/** Any free port, so that tests can run beside each other and beside a running Trunkline. */
const FREE_PORTS = {
  TRUNKLINE_PORT: '0',
  TRUNKLINE_ADMIN_PORT: '0',
  TRUNKLINE_NEGOTIATE_PORT: '0',
  TRUNKLINE_CHAT_PORT: '0',
};

/** In a container the others come by another address than 127.0.0.1. Linux has all of 127/8. */
const OTHER_ADDRESS = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1';

const folder = mkdtempSync(join(tmpdir(), 'trunkline-images-'));
for (const [name, text] of Object.entries(SECRETS)) writeFileSync(join(folder, name), `${text}\n`);
afterAll(() => rmSync(folder, { recursive: true }));

/** The bus that the compose file has, or none where this machine cannot have one. */
async function bus(): Promise<string> {
  if (NATS === undefined) return 'memory';
  const engine = await startNats();
  onTestFinished(async () => void (await engine.stop()));
  return `nats://${engine.host}`;
}

interface Listening {
  readonly url: string;
  readonly admin?: string;
}

function listening(line: string): Listening | undefined {
  return line.includes(' listening"') ? (JSON.parse(line) as Listening) : undefined;
}

/** Each image of ours once, by its target. */
const IMAGES = new Map(builtServices().map(([, service]) => [service.build!.target, service]));

test.each([...IMAGES])(
  '%s runs by the command of its image, is healthy and ends on its stop signal',
  async (name, { build, environment = {} }) => {
    const stage = readStages().get(build?.target ?? '') ?? [];
    const [command, ...args] = execForm(stage, 'CMD');
    expect(command).toBe('node');
    const settings = Object.entries(environment).map(([key, value]) => [
      key,
      interpolate(value, GIVEN).replace(/^\/run\/secrets/, folder),
    ]);
    const TRUNKLINE_BUS = 'TRUNKLINE_BUS' in environment ? await bus() : undefined;
    await using started = await startProcess(process.execPath, args, {
      name,
      cwd: ROOT,
      env: { ...Object.fromEntries(settings), ...FREE_PORTS, TRUNKLINE_BUS },
      ready: listening,
    });
    const { url, admin } = started.ready;
    const [, script, checked = ''] = execForm(stage, 'HEALTHCHECK');
    const { port, pathname } = new URL(checked);
    const base = (port === '9464' ? admin : undefined) ?? url;
    const outside = base.replace('127.0.0.1', OTHER_ADDRESS);
    const healthcheck = `${ROOT}deploy/docker/${script}`;
    const isHealthy = () => run(process.execPath, [healthcheck, new URL(pathname, outside).href]);
    // An edge is when it has heard which other edges there are.
    await vi.waitFor(isHealthy, { timeout: 10_000, interval: 200 });
    const missing = run(process.execPath, [healthcheck, new URL('/no-such-page', base).href]);
    await expect(missing).rejects.toThrow('answered 404');
    expect(await started.stop()).toEqual({ code: 0, signal: null });
    await expect(run(process.execPath, [healthcheck, base])).rejects.toThrow('ECONNREFUSED');
  },
);

test.each([...IMAGES.keys()])('%s does not run as root', (name) => {
  const [from, ...others] = readStages().get(name) ?? [];
  expect(from?.text).toBe(`runtime AS ${name}`);
  const runtime = readStages().get('runtime') ?? [];
  const users = [...runtime, ...others].filter((instruction) => instruction.name === 'USER');
  expect(users.map(({ text }) => text)).toEqual(['node']);
});
