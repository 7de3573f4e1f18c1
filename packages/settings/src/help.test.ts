import { expect, it } from 'vitest';
import { defineOptions, describeOptions, information, optionsMarkdown } from './index.ts';

const table = defineOptions({
  port: { kind: 'port', default: 8080, help: 'Listener.' },
  host: { kind: 'string', default: '0.0.0.0', devDefault: '127.0.0.1', help: 'Address.' },
  accessKeys: { kind: 'list', devDefault: ['a', 'b'], help: 'Keys.' },
  logLevel: { kind: 'choice', choices: ['info', 'debug'], default: 'info', help: 'Level.' },
  dev: { kind: 'flag', help: 'Development.' },
});

const program = { name: 'edge', version: '1.2.3', table, configFile: false };

it.each([['--help'], ['-h'], ['--port', '1', '--help'], ['-v', '-h']])(
  'prints usage, then each option with its variable and default, for %s',
  (...argv) => {
    expect(information(argv, program)).toBe(`usage: edge [options]

  --port <0..65535>   TRUNKLINE_PORT
      Listener. Default: 8080.

  --host <text>   TRUNKLINE_HOST
      Address. Default: 0.0.0.0 (127.0.0.1 with --dev).

  --access-keys <text,text>   TRUNKLINE_ACCESS_KEYS
      Keys. Default: none (a,b with --dev).

  --log-level <info|debug>   TRUNKLINE_LOG_LEVEL
      Level. Default: info.

  --dev   TRUNKLINE_DEV
      Development.

  --help, -h
      Prints this.

  --version, -v
      Prints the version.
`);
  },
);

it.each([['--version'], ['-v'], ['--port', '1', '-v']])('prints the version for %s', (...argv) => {
  expect(information(argv, program)).toBe('edge 1.2.3\n');
});

it('prints nothing unasked', () => {
  expect(information(['--port', '1'], program)).toBeUndefined();
});

it('describes --config where the process has it', () => {
  expect(describeOptions(table, true).map(({ key }) => key)).toEqual([
    ...Object.keys(table),
    'config',
  ]);
});

it('describes the file of a secret behind it', () => {
  const secrets = defineOptions({
    key: { kind: 'string', env: 'OUR_KEY', secret: true, help: '' },
  });
  expect(describeOptions(secrets).map(({ flag, env }) => [flag, env])).toEqual([
    ['--key <text>', 'OUR_KEY'],
    ['--key-file <text>', 'OUR_KEY_FILE'],
  ]);
});

it('makes a Markdown table with one row an option, its bars escaped', () => {
  const lines = optionsMarkdown(table).split('\n');
  expect(lines).toHaveLength(2 + Object.keys(table).length);
  expect(lines[5]).toBe('| `--log-level <info\\|debug>` | `TRUNKLINE_LOG_LEVEL` | info | Level. |');
});
