import { expect, it } from 'vitest';
import { defineOptions, describeOptions, helpText, optionsMarkdown } from './index.ts';

const table = defineOptions({
  port: { kind: 'port', default: 8080, help: 'Listener.' },
  host: { kind: 'string', default: '0.0.0.0', devDefault: '127.0.0.1', help: 'Address.' },
  accessKeys: { kind: 'list', devDefault: ['a', 'b'], help: 'Keys.' },
  logLevel: { kind: 'choice', choices: ['info', 'debug'], default: 'info', help: 'Level.' },
  dev: { kind: 'flag', help: 'Development.' },
});

it('prints usage, then each option with its variable and default', () => {
  expect(helpText('edge [options]', table)).toBe(`usage: edge [options]

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

  --help
      Prints this.
`);
});

it('describes --config where the process has it', () => {
  expect(describeOptions(table, true).map(({ key }) => key)).toEqual([
    ...Object.keys(table),
    'config',
  ]);
});

it('makes a Markdown table with one row an option, its bars escaped', () => {
  const lines = optionsMarkdown(table).split('\n');
  expect(lines).toHaveLength(2 + Object.keys(table).length);
  expect(lines[5]).toBe('| `--log-level <info\\|debug>` | `TRUNKLINE_LOG_LEVEL` | info | Level. |');
});
