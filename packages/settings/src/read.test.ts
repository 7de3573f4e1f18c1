import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { defineOptions, KNOWN_VARIABLES, readSettings, SettingsError } from './index.ts';

const table = defineOptions({
  port: { kind: 'port', default: 8080, help: 'Listener.' },
  host: { kind: 'string', default: '0.0.0.0', devDefault: '127.0.0.1', help: 'Address.' },
  accessKeys: { kind: 'list', devDefault: ['dev-key'], secret: true, help: 'Keys.' },
  signingKey: { kind: 'string', secret: true, isKey: true, help: 'A key to sign with.' },
  keyRing: { kind: 'list', isKey: true, help: 'Keys to sign with.' },
  signingSecret: { kind: 'url', secret: true, help: 'A secret of a checked kind.' },
  drainSeconds: { kind: 'integer', min: 1, max: 60, default: 10, help: 'Drain.' },
  publicUrl: { kind: 'url', help: 'URL.' },
  logLevel: { kind: 'choice', choices: ['info', 'debug'], default: 'info', help: 'Level.' },
  chatPort: { kind: 'port', env: 'TRUNKLINE_TALK_PORT', default: 3000, help: 'Chat.' },
  dev: { kind: 'flag', help: 'Development.' },
});

function read(argv: string[], env: Record<string, string> = {}) {
  return readSettings(table, { argv, env, others: ['TRUNKLINE_BUS'], configFile: true });
}

function refusal(argv: string[], env: Record<string, string> = {}): string {
  try {
    read(argv, env);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  throw new Error('the settings were accepted');
}

function configFile(content: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'trunkline-settings-')), 'settings.json');
  writeFileSync(path, content);
  return path;
}

describe('readSettings', () => {
  it('gives defaults, undefined where there is none', () => {
    expect(read([])).toEqual({
      port: 8080,
      host: '0.0.0.0',
      accessKeys: undefined,
      signingKey: undefined,
      keyRing: undefined,
      signingSecret: undefined,
      drainSeconds: 10,
      publicUrl: undefined,
      logLevel: 'info',
      chatPort: 3000,
      dev: false,
    });
  });

  it('has the types of the table', () => {
    const settings = read([]);
    expectTypeOf(settings.port).toEqualTypeOf<number>();
    expectTypeOf(settings.accessKeys).toEqualTypeOf<readonly string[] | undefined>();
    expectTypeOf(settings.logLevel).toEqualTypeOf<'info' | 'debug'>();
    expectTypeOf(settings.dev).toEqualTypeOf<boolean>();
  });

  it.each([
    ['a flag with a blank', ['--port', '1'], {}, { port: 1 }],
    ['a flag with =', ['--port=0'], {}, { port: 0 }],
    ['a kebab flag', ['--drain-seconds', '60'], {}, { drainSeconds: 60 }],
    ['the last of a repeated flag', ['--port', '1', '--port', '2'], {}, { port: 2 }],
    ['a list', ['--access-keys', 'a, b='], {}, { accessKeys: ['a', 'b='] }],
    ['a variable', [], { TRUNKLINE_PORT: '7' }, { port: 7 }],
    ['a flag over a variable', ['--port', '1'], { TRUNKLINE_PORT: '7' }, { port: 1 }],
    ['a renamed variable', [], { TRUNKLINE_TALK_PORT: '7' }, { chatPort: 7 }],
    ['an empty variable as unset', [], { TRUNKLINE_PORT: '' }, { port: 8080 }],
    ['dev defaults', ['--dev'], {}, { dev: true, host: '127.0.0.1', accessKeys: ['dev-key'] }],
    ['dev from the environment', [], { TRUNKLINE_DEV: '1' }, { dev: true, host: '127.0.0.1' }],
    ['dev switched off', ['--dev=false'], { TRUNKLINE_DEV: '1' }, { dev: false }],
    ['a value over a dev default', ['--dev', '--host', '::'], {}, { host: '::' }],
  ])('takes %s', (_, argv, env, expected) => {
    expect(read(argv, env)).toMatchObject(expected);
  });

  it.each([
    ['no integer', ['--port', 'http'], "--port: 'http' is not an integer from 0 to 65535"],
    ['a port too high', ['--port=65536'], "--port: '65536' is not an integer from 0 to 65535"],
    ['a negative', ['--port', '-1'], "--port: '-1' is not an integer from 0 to 65535"],
    ['a fraction', ['--port', '1.5'], "--port: '1.5' is not an integer from 0 to 65535"],
    ['an exponent', ['--port', '1e3'], "--port: '1e3' is not an integer from 0 to 65535"],
    ['below min', ['--drain-seconds', '0'], "--drain-seconds: '0' is not an integer from 1 to 60"],
    ['no choice', ['--log-level', 'loud'], "--log-level: 'loud' is not one of info, debug"],
    [
      'no URL',
      ['--public-url', 'h:80'],
      "--public-url: 'h:80' is not an absolute http or https URL",
    ],
    ['no boolean', ['--dev=maybe'], "--dev: 'maybe' is not true or false"],
    ['an empty text', ['--host='], "--host: '' is not a text of at least one character"],
    ['a lost value', ['--port'], '--port needs a value (see --help)'],
    ['a flag as value', ['--port', '--dev'], '--port needs a value (see --help)'],
    ['an unknown flag', ['--prot', '1'], 'unknown flag --prot (see --help)'],
    ['a camel case flag', ['--accessKeys', 'a'], 'unknown flag --accessKeys (see --help)'],
    ['a short flag', ['-p', '1'], 'unknown flag -p (see --help)'],
    ['a positional', ['8080'], "unexpected argument '8080' (see --help)"],
    ['a terminator', ['--'], "unexpected argument '--' (see --help)"],
    ['line breaks', ['--port', '1\n2'], "--port: '1 2' is not an integer from 0 to 65535"],
  ])('refuses %s', (_, argv, message) => {
    expect(refusal(argv)).toBe(message);
  });

  it('never shows a secret', () => {
    expect(refusal(['--access-keys', 'hush,'])).toBe(
      '--access-keys: the value is not a comma-separated list without empty elements',
    );
    expect(refusal([], { TRUNKLINE_SIGNING_SECRET: 'hush' })).not.toContain('hush');
  });
});

describe('the environment', () => {
  it('refuses an unknown variable and a bad value', () => {
    expect(refusal([], { TRUNKLINE_PROT: '1' })).toBe(
      'TRUNKLINE_PROT is not a setting; unset it or correct its name (see --help)',
    );
    expect(refusal(['--port', '1'], { TRUNKLINE_PORT: 'x' })).toBe(
      "TRUNKLINE_PORT: 'x' is not an integer from 0 to 65535",
    );
  });

  it.each([
    ["another process's setting", { TRUNKLINE_BUS: 'memory' }],
    ['a variable of somebody else', { PORT: 'x', PATH: '/' }],
    ['a Kubernetes service host', { TRUNKLINE_EDGE_SERVICE_HOST: '10.0.0.1' }],
    ['a Kubernetes service port', { TRUNKLINE_SERVICE_PORT_HTTP: '80' }],
    ['a Kubernetes port part', { TRUNKLINE_EDGE_PORT_8080_TCP_ADDR: '10.0.0.1' }],
    ['a Kubernetes link', { TRUNKLINE_EDGE_PORT: 'tcp://10.0.0.1:8080' }],
    ['a Kubernetes link in the place of a setting', { TRUNKLINE_PORT: 'tcp://10.0.0.1:8080' }],
    ['a Kubernetes link of one port', { TRUNKLINE_PORT_80_TCP: 'tcp://10.0.0.1:80' }],
  ])('leaves %s alone', (_, env) => {
    expect(read([], env)).toEqual(read([]));
  });

  it('takes a value like a Kubernetes link under the name of none for a setting', () => {
    const value = 'tcp://10.0.0.1:8080';
    expect(refusal([], { TRUNKLINE_PUBLIC_URL: value })).toContain('TRUNKLINE_PUBLIC_URL: ');
    expect(read([], { TRUNKLINE_HOST: value }).host).toBe(value);
  });

  it('knows each variable once', () => {
    expect(new Set(KNOWN_VARIABLES).size).toBe(KNOWN_VARIABLES.length);
  });
});

describe('the config file', () => {
  it('comes after flags and variables and before defaults', () => {
    const path = configFile('{"port": 1, "drain-seconds": 2, "logLevel": "debug"}');
    expect(read(['--config', path, '--port', '3'], { TRUNKLINE_LOG_LEVEL: 'info' })).toMatchObject({
      port: 3,
      drainSeconds: 2,
      logLevel: 'info',
    });
    expect(read([], { TRUNKLINE_CONFIG: path }).port).toBe(1);
  });

  it('may begin with a byte order mark', () => {
    expect(read(['--config', configFile('\uFEFF{"port": 1}')]).port).toBe(1);
  });

  it('takes lists as arrays and flags as booleans', () => {
    const path = configFile('{"accessKeys": ["a", "b"], "dev": true}');
    expect(read(['--config', path])).toMatchObject({
      accessKeys: ['a', 'b'],
      dev: true,
      host: '127.0.0.1',
    });
  });

  it.each([
    ['an unknown key', '{"prot": 1}', ": 'prot' is not a setting (see --help)"],
    ['an inherited name', '{"constructor": 1}', ": 'constructor' is not a setting (see --help)"],
    ['itself', '{"config": "x"}', ": 'config' is not a setting (see --help)"],
    ['both spellings', '{"logLevel":"info","log-level":"info"}', ": 'log-level' is given twice"],
    ['a bad value', '{"port": -1}', ": port: '-1' is not an integer from 0 to 65535"],
    [
      'a boolean for a port',
      '{"port": true}',
      ': port: the value has the wrong type, give a number',
    ],
    ['null', '{"host": null}', ': host: the value has the wrong type, give a text'],
    ['a number for a text', '{"host": 1}', ': host: the value has the wrong type, give a text'],
    [
      'an array of numbers',
      '{"accessKeys": [1]}',
      ': accessKeys: the value has the wrong type, give a list of texts',
    ],
    [
      'a number for a flag',
      '{"dev": 1}',
      ': dev: the value has the wrong type, give true or false',
    ],
    ['broken JSON', '{', ' is not JSON'],
    ['an array', '[]', ' must hold one JSON object'],
  ])('refuses %s', (_, content, message) => {
    const path = configFile(content);
    expect(refusal(['--config', path])).toBe(path + message);
  });

  it('says when it cannot be read', () => {
    expect(refusal(['--config', '/nowhere/at-all.json'])).toBe(
      'cannot read the config file /nowhere/at-all.json (ENOENT)',
    );
  });

  it('is an unknown flag for a process without one', () => {
    const sources = { argv: ['--config', 'x'], env: {}, others: [] };
    expect(() => readSettings(table, sources)).toThrow('unknown flag --config');
  });
});

describe('a secret in a file of its own', () => {
  const KEY = 'k'.repeat(32);

  it.each([
    ['as it is', 'hush', 'hush'],
    ['with a line break at its end', 'hush\n', 'hush'],
    ['with one of Windows', 'hush\r\n', 'hush'],
    ['without a byte order mark', '\uFEFFhush', 'hush'],
    ['with a second such mark, which is its own', '\uFEFF\uFEFFhush', '\uFEFFhush'],
    ['with spaces that are its own', ' hu sh ', ' hu sh '],
  ])('is read %s', (_, content, secret) => {
    const path = configFile(content);
    const value = { signingKey: secret };
    expect(read(['--dev', '--signing-key-file', path])).toMatchObject(value);
    expect(read(['--dev'], { TRUNKLINE_SIGNING_KEY_FILE: path })).toMatchObject(value);
    const config = configFile(JSON.stringify({ signingKeyFile: path, dev: true }));
    expect(read(['--config', config])).toMatchObject(value);
  });

  it('holds a list with commas or a line each, and wins over a default', () => {
    for (const content of ['a,b', 'a\nb\n', 'a\r\nb\r\n']) {
      const argv = ['--dev', '--access-keys-file', configFile(content)];
      expect(read(argv).accessKeys).toEqual(['a', 'b']);
    }
  });

  it('is refused beside the secret itself, wherever the two are given', () => {
    const path = configFile(KEY);
    const both =
      'both --signing-key and --signing-key-file are set (or TRUNKLINE_SIGNING_KEY and TRUNKLINE_SIGNING_KEY_FILE): give one of them';
    const config = configFile(JSON.stringify({ signingKey: KEY }));
    expect(refusal(['--signing-key', KEY, '--signing-key-file', path])).toBe(both);
    expect(refusal(['--signing-key', KEY], { TRUNKLINE_SIGNING_KEY_FILE: path })).toBe(both);
    expect(refusal(['--config', config, '--signing-key-file', path])).toBe(both);
  });

  it.each(['', '\n', '\r\n', '\uFEFF\r\n'])('is refused when it holds %j', (content) => {
    const path = configFile(content);
    expect(refusal(['--signing-key-file', path])).toBe(`--signing-key-file: ${path} is empty`);
  });

  it('is refused when it cannot be read, or is none of its kind, without showing it', () => {
    expect(refusal([], { TRUNKLINE_SIGNING_KEY_FILE: '/nowhere/at-all' })).toBe(
      '--signing-key-file: /nowhere/at-all cannot be read (ENOENT)',
    );
    expect(refusal(['--signing-key-file', tmpdir()])).toContain('cannot be read (EISDIR)');
    const path = configFile('hush');
    expect(refusal(['--signing-secret-file', path])).toBe(
      `--signing-secret-file: ${path}: the value is not an absolute http or https URL`,
    );
  });

  it('is an option of secrets alone', () => {
    expect(refusal(['--host-file', 'x'])).toBe('unknown flag --host-file (see --help)');
  });
});

describe('a key to sign with', () => {
  const weak = (flag: string, bytes: number) =>
    `--${flag}: a key of ${bytes} bytes can be guessed, at least 32 are needed: make one with openssl rand -base64 32, or use --dev on your own machine`;

  it.each([
    ['a', 1],
    ['k'.repeat(31), 31],
    ['é'.repeat(15), 30],
  ])('is not %s', (key, bytes) => {
    expect(refusal(['--signing-key', key])).toBe(weak('signing-key', bytes));
    expect(refusal(['--signing-key-file', configFile(key)])).toBe(weak('signing-key', bytes));
    expect(refusal(['--key-ring', `${'k'.repeat(32)},${key}`])).toBe(weak('key-ring', bytes));
    expect(read(['--dev', '--signing-key', key]).signingKey).toBe(key);
  });

  it('has 32 bytes or more', () => {
    for (const key of ['k'.repeat(32), 'é'.repeat(16)]) {
      expect(read(['--signing-key', key]).signingKey).toBe(key);
    }
  });
});

describe('--dev', () => {
  const hosts = defineOptions({
    host: { kind: 'string', default: '0.0.0.0', devDefault: '127.0.0.1', listens: true, help: '' },
    adminHost: { kind: 'string', default: '127.0.0.1', listens: true, help: '' },
    dev: { kind: 'flag', help: '' },
    devPublic: { kind: 'flag', help: '' },
  });
  const start = (...argv: string[]) => readSettings(hosts, { argv, env: {}, others: [] });

  it.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1', 'localhost', 'LocalHost'])(
    'listens on %s, which is this machine alone',
    (host) => {
      expect(start('--dev', '--host', host, '--admin-host', host)).toMatchObject({ host });
    },
  );

  it.each([
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '2001:db8::1',
    '::ffff:10.0.0.1',
    'box.example',
    '128.0.0.1',
  ])('does not listen on %s, unless that is meant', (host) => {
    const refusal = (flag: string) =>
      `--dev lets anybody in, and others may reach ${host}: leave out --dev or ${flag}, or add --dev-public if that is meant`;
    for (const flag of ['--host', '--admin-host']) {
      expect(() => start('--dev', flag, host)).toThrow(new SettingsError(refusal(flag)));
      expect(start('--dev', '--dev-public', flag, host)).toMatchObject({ devPublic: true });
      expect(start(flag, host)).toMatchObject({ dev: false });
    }
  });
});
