import { flagName, variableName } from './options.ts';
import type { OptionRow, OptionTable } from './options.ts';
import { CONFIG_ROW } from './read.ts';
import type { SectionTable } from './sections.ts';
import { describeSections } from './sections.ts';
import { withSecretFiles } from './secret-files.ts';

/** One option, as `--help` and the documentation page show it. */
export interface OptionDescription {
  /** `--port <0..65535>` */
  readonly flag: string;
  readonly env: string;
  /** The key in a config file. */
  readonly key: string;
  /** `8080`, or `0.0.0.0 (127.0.0.1 with --dev)`; empty when there is none. */
  readonly default: string;
  readonly help: string;
}

/** The rows of a table in its order, each secret's file behind it, then `--config` where the process has it. */
export function describeOptions(table: OptionTable, configFile = false): OptionDescription[] {
  const own = withSecretFiles(table);
  const rows: OptionTable = configFile ? { ...own, config: CONFIG_ROW } : own;
  return Object.entries(rows).map(([key, row]) => ({
    flag: `--${flagName(key)}${placeholder(row)}`,
    env: variableName(key, row),
    key,
    default: defaultText(row),
    help: row.help,
  }));
}

/** What a process is called, and what it can be told. */
export interface Program {
  /** Such as `trunkline-edge`. */
  readonly name: string;
  readonly version: string;
  readonly table: OptionTable;
  /** Whether it takes `--config`. */
  readonly configFile: boolean;
  /** What stands in its config file alone. */
  readonly sections?: SectionTable;
}

/**
 * What to print, instead of running, where the arguments ask for it: `--help` or `-h` for every option
 * with its variable and default, `--version` or `-v` for name and version.
 */
export function information(argv: readonly string[], program: Program): string | undefined {
  if (argv.includes('--help') || argv.includes('-h')) return helpText(program);
  const asked = argv.includes('--version') || argv.includes('-v');
  return asked ? `${program.name} ${program.version}\n` : undefined;
}

function helpText({ name, table, configFile, sections = {} }: Program): string {
  const lines = describeOptions(table, configFile).flatMap((option) => [
    '',
    `  ${option.flag}   ${option.env}`,
    `      ${option.help}${option.default === '' ? '' : ` Default: ${option.default}.`}`,
  ]);
  const others = [
    '  --help, -h',
    '      Prints this.',
    '',
    '  --version, -v',
    '      Prints the version.',
  ];
  const nested = describeSections(sections).flatMap((row) => [
    '',
    `  ${row.path}${row.values === '' ? '' : ` <${row.values}>`}`,
    `      ${row.help}${row.default === '' ? '' : ` Default: ${row.default}.`}`,
  ]);
  const inFile = nested.length === 0 ? [] : ['In the config file only:', ...nested, ''];
  return [`usage: ${name} [options]`, ...lines, '', ...inFile, ...others, ''].join('\n');
}

/** The rows of a Markdown table with the columns flag, variable, default, meaning. */
export function optionsMarkdown(table: OptionTable, configFile = false): string {
  const rows = describeOptions(table, configFile).map(
    ({ flag, env, help, default: value }) =>
      `| \`${cell(flag)}\` | \`${env}\` | ${value === '' ? 'none' : cell(value)} | ${cell(help)} |`,
  );
  return ['| flag | variable | default | meaning |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

/** The same for sections, with the columns place, values, default, meaning. */
export function sectionsMarkdown(table: SectionTable): string {
  const rows = describeSections(table).map(
    ({ path, values, default: value, help }) =>
      `| \`${path}\` | ${cell(values)} | ${value === '' ? 'none' : cell(value)} | ${cell(help)} |`,
  );
  return ['| place | values | default | meaning |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

function placeholder(row: OptionRow): string {
  switch (row.kind) {
    case 'flag':
      return '';
    case 'port':
      return ' <0..65535>';
    case 'integer':
      return ` <${row.min}..${row.max}>`;
    case 'choice':
      return ` <${row.choices.join('|')}>`;
    case 'list':
      return ' <text,text>';
    case 'url':
      return ' <url>';
    case 'string':
      return ' <text>';
  }
}

function defaultText(row: OptionRow): string {
  if (row.kind === 'flag') return '';
  const always = row.default === undefined ? '' : String(row.default);
  if (row.devDefault === undefined) return always;
  return `${always === '' ? 'none' : always} (${String(row.devDefault)} with --dev)`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
