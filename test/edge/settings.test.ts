import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY } from '@trunkline/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { runEdge } from './support/run-edge.ts';

const PORTS = ['--port', '0', '--admin-port', '0'];
const DEV = ['--dev', ...PORTS];

const folder = mkdtempSync(join(tmpdir(), 'trunkline-settings-'));
const missing = join(folder, 'missing.pem');
let occupant: Server;
let occupied: string;

/** A file of the test's folder, with its whole path. */
function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

beforeAll(async () => {
  occupant = createServer().listen(0, '127.0.0.1');
  await once(occupant, 'listening');
  occupied = `${(occupant.address() as AddressInfo).port}`;
});
afterAll(() => {
  occupant.close();
  rmSync(folder, { recursive: true });
});

interface Wrong {
  name: string;
  args: () => string[];
  env?: NodeJS.ProcessEnv;
  /** What the line must name: the setting, and what is wrong with it. */
  says: (string | (() => string))[];
}

const WRONG: Wrong[] = [
  {
    name: 'a port that is none',
    args: () => ['--dev', '--port', '70000'],
    says: ['--port', '70000', '65535'],
  },
  {
    name: 'a port in words',
    args: () => ['--dev'],
    env: { TRUNKLINE_PORT: 'http' },
    says: ['TRUNKLINE_PORT', 'http'],
  },
  {
    name: 'a port in use',
    args: () => [...DEV, '--port', occupied],
    says: [() => occupied, 'in use'],
  },
  {
    name: 'an admin port in use',
    args: () => [...DEV, '--admin-port', occupied],
    says: [() => occupied, '--admin-port'],
  },
  {
    name: 'a host that is not ours',
    args: () => [...DEV, '--host', '192.0.2.1'],
    says: ['192.0.2.1'],
  },
  { name: 'no access key', args: () => PORTS, says: ['TRUNKLINE_ACCESS_KEYS', '--dev'] },
  {
    name: 'three access keys',
    args: () => PORTS,
    env: {
      TRUNKLINE_ACCESS_KEYS:
        'a-key-of-mine-0123456789abcdefghijklmnop,b-key-of-mine-0123456789abcdefghijklmnop,c-key-of-mine-0123456789abcdefghijklmnop',
    },
    says: ['access key'],
  },
  {
    name: 'an access key that can be guessed',
    args: () => PORTS,
    env: { TRUNKLINE_ACCESS_KEYS: 'a' },
    says: ['--access-keys', 'openssl rand -base64 32'],
  },
  {
    name: 'access keys beside a file of them',
    args: () => [...DEV, '--access-keys-file', write('keys', 'k')],
    env: { TRUNKLINE_ACCESS_KEYS: 'a' },
    says: ['--access-keys', '--access-keys-file'],
  },
  {
    name: 'a file of access keys that is empty',
    args: () => [...DEV, '--access-keys-file', write('no-keys', '\n')],
    says: ['--access-keys-file', 'no-keys', 'empty'],
  },
  {
    name: 'a file of access keys that is not there',
    args: () => DEV,
    env: { TRUNKLINE_ACCESS_KEYS_FILE: missing },
    says: [missing, 'ENOENT'],
  },
  {
    name: 'an empty access key',
    args: () => [...PORTS, '--access-keys', 'a-key-of-mine-0123456789abcdefghijklmnop,'],
    says: ['--access-keys'],
  },
  {
    name: 'an unknown variable',
    args: () => DEV,
    env: { TRUNKLINE_PROT: '1' },
    says: ['TRUNKLINE_PROT'],
  },
  { name: 'an unknown flag', args: () => [...DEV, '--prot', '1'], says: ['--prot'] },
  { name: 'a flag without its value', args: () => ['--dev', '--port'], says: ['--port', 'value'] },
  { name: 'an argument', args: () => [...DEV, 'start'], says: ["'start'"] },
  {
    name: 'a bus that is none',
    args: () => [...DEV, '--bus', 'kafka://x'],
    says: ['--bus', 'kafka://x'],
  },
  {
    name: 'several processes without a bus',
    args: () => [...DEV, '--processes', '2'],
    says: ['--processes', 'nats-server -c deploy/nats.conf', '--bus nats://127.0.0.1:4222'],
  },
  {
    name: 'a log level that is none',
    args: () => [...DEV, '--log-level', 'loud'],
    says: ['--log-level', 'loud'],
  },
  {
    name: 'a public URL that is none',
    args: () => [...DEV, '--public-url', 'edge.example'],
    says: ['--public-url', 'edge.example'],
  },
  {
    name: 'a limit out of its range',
    args: () => [...DEV, '--max-message-bytes', '10'],
    says: ['--max-message-bytes', '10'],
  },
  {
    name: 'an origin with a path',
    args: () => [...DEV, '--allowed-origins', 'https://a.example,https://b.example/chat'],
    says: ['--allowed-origins', 'https://b.example/chat'],
  },
  {
    name: 'a proxy by name',
    args: () => [...DEV, '--trusted-proxies', '10.0.0.0/8,proxy.internal'],
    says: ['--trusted-proxies', 'proxy.internal'],
  },
  {
    name: 'a TLS key without its certificate',
    args: () => [...DEV, '--tls-key', missing],
    says: ['--tls-cert', '--tls-key'],
  },
  {
    name: 'a TLS file that is not there',
    args: () => [...DEV, '--tls-cert', missing, '--tls-key', missing],
    says: [missing],
  },
  {
    name: 'a TLS file that is no PEM',
    args: () => {
      const file = write('not.pem', 'not a certificate\n');
      return [...DEV, '--tls-cert', file, '--tls-key', file];
    },
    says: ['not.pem'],
  },
  {
    name: 'a config file that is not there',
    args: () => [...DEV, '--config', missing],
    says: [missing],
  },
  {
    name: 'a config file that is not JSON',
    args: () => [...DEV, '--config', write('half.json', '{')],
    says: ['half.json', 'JSON'],
  },
  {
    name: 'a config file that is no object',
    args: () => [...DEV, '--config', write('list.json', '[]')],
    says: ['list.json', 'object'],
  },
  {
    name: 'an unknown key in the config file',
    args: () => [...DEV, '--config', write('typo.json', '{"prot": 1}')],
    says: ['typo.json', "'prot'"],
  },
  {
    name: 'a wrong type in the config file',
    args: () => [...DEV, '--config', write('type.json', '{"port": true}')],
    says: ['type.json', 'port'],
  },
];

describe('what is wrong with the settings', () => {
  it.concurrent.each(WRONG)('is one line: $name', async ({ args, env, says }) => {
    const { code, stdout, stderr } = await runEdge(args(), env);
    expect(stderr).toMatch(/^trunkline-edge: [^\n]+\n$/);
    for (const word of says) expect(stderr).toContain(typeof word === 'string' ? word : word());
    expect(code).toBe(1);
    expect(stdout).toBe('');
  });

  it('never shows an access key', async () => {
    const secret = 'a-secret-key-that-nobody-may-see,';
    const { stderr } = await runEdge([...PORTS, '--access-keys', secret]);
    expect(stderr).not.toContain('nobody-may-see');
  });
});

describe('--help', () => {
  it('prints every option with its variable, and ends with code 0', async () => {
    const { code, stdout, stderr } = await runEdge(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const option of [
      'port',
      'host',
      'admin-port',
      'admin-host',
      'access-keys',
      'public-url',
      'bus',
      'edge-id',
      'tls-cert',
      'tls-key',
      'allowed-origins',
      'log-level',
      'dev',
      'config',
    ]) {
      expect(stdout).toMatch(new RegExp(`^ {2}--${option}\\b`, 'm'));
      expect(stdout).toContain(`TRUNKLINE_${option.replaceAll('-', '_').toUpperCase()}`);
    }
  });

  it('wins over settings that are wrong', async () => {
    const { code } = await runEdge(['--port', 'x', '-h'], { TRUNKLINE_PROT: '1' });
    expect(code).toBe(0);
  });
});

describe('settings that are right', () => {
  it('lets Kubernetes and other processes have their variables', async () => {
    await using edge = await startEdge({
      env: {
        TRUNKLINE_PORT: 'tcp://10.0.0.1:8080',
        TRUNKLINE_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
        TRUNKLINE_PORT_8080_TCP_ADDR: '10.0.0.1',
        TRUNKLINE_SERVICE_HOST: '10.0.0.1',
        TRUNKLINE_SERVICE_PORT_HTTP: '8080',
        TRUNKLINE_CHAT_PORT: '3000',
        TRUNKLINE_CONNECTION_STRING: 'Endpoint=http://x;AccessKey=y;',
        TRUNKLINE_EDGE_ID: '',
      },
    });
    expect((await fetch(`${edge.url}/api/health`)).status).toBe(200);
  });

  it('takes a flag before a variable, and that before the config file', async () => {
    const config = write(
      'order.json',
      JSON.stringify({ edgeId: 'of-the-file', 'public-url': 'http://of-the-file' }),
    );
    await using edge = await startEdge({
      args: ['--config', config, '--edge-id', 'of-the-flag'],
      env: { TRUNKLINE_EDGE_ID: 'of-the-variable', TRUNKLINE_PUBLIC_URL: 'http://of-the-variable' },
    });
    expect(edge.output()).toContain('"edgeId":"of-the-flag"');
    expect(edge.url).toBe('http://of-the-variable');
    expect(edge.output()).not.toContain('of-the-file');
  });

  it('warns of --dev, with a connection string that opens the edge', async () => {
    await using edge = await startEdge();
    await expect.poll(() => edge.output()).toContain('Connection string');
    expect(edge.output()).toContain('WARNING');
    const { port } = new URL(edge.url);
    expect(edge.output()).toMatch(
      new RegExp(
        `Endpoint=http://127\\.0\\.0\\.1;Port=${port};AccessKey=${DEVELOPMENT_ACCESS_KEY};`,
      ),
    );
  });
});
