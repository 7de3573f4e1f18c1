import { parseArgs } from 'node:util';
import { readConfigFile } from './config-file.ts';
import { refusePublicDevelopment } from './development.ts';
import { SettingsError } from './errors.ts';
import { flagName, variableName } from './options.ts';
import type { OptionRow, OptionTable, OptionValue, Settings } from './options.ts';
import type { Section, SectionTable } from './sections.ts';
import { readSection } from './sections.ts';
import { readSecrets, withSecretFiles } from './secret-files.ts';
import { parseValue } from './values.ts';
import { ownVariables, refuseUnknown } from './variables.ts';
import type { Environment } from './variables.ts';
import { refuseWeakSecrets } from './weak-secrets.ts';

export interface SettingsSources {
  /** Arguments after the script's name. */
  readonly argv: readonly string[];
  readonly env: Environment;
  /** Variables that are other processes' settings; `TRUNKLINE_` variables beyond are refused. */
  readonly others: readonly string[];
  /** Whether `--config <file.json>` (or `TRUNKLINE_CONFIG`) is an option of this process. */
  readonly configFile?: boolean;
}

/** What a process can be told in its config file alone. */
export interface WithSections<S extends SectionTable> {
  readonly sections: S;
}

/** The row that `configFile` adds to a table. */
export const CONFIG_ROW: OptionRow = {
  kind: 'string',
  help: 'JSON file of settings; flags and variables win over it.',
};

/**
 * The value of every option of the table: a flag wins over the variable, that over the config file,
 * that over the default. `--flag value` and `--flag=value` are equal; of a repeated flag the last.
 * Secrets may come from files of their own, see `withSecretFiles`.
 * @throws SettingsError with one line for a bad value, an unknown flag, variable or file key, a secret
 * file that cannot be read, a key that is too short, and `--dev` on an address that others can reach
 */
export function readSettings<T extends OptionTable>(
  table: T,
  sources: SettingsSources,
): Settings<T> {
  return readAll(table, { ...sources, sections: {} });
}

/** The same, with the sections of the config file beside the options. */
export function readSettingsWithSections<T extends OptionTable, S extends SectionTable>(
  table: T,
  sources: SettingsSources & WithSections<S>,
): Settings<T> & Section<S> {
  return readAll(table, sources);
}

function readAll<T extends OptionTable, S extends SectionTable>(
  table: T,
  sources: SettingsSources & WithSections<S>,
): Settings<T> & Section<S> {
  const own = withSecretFiles(table);
  const rows: OptionTable = sources.configFile ? { ...own, config: CONFIG_ROW } : own;
  const given = new Map([...variables(rows, sources), ...flags(rows, sources.argv)]);
  const path = given.get('config');
  const file =
    sources.configFile && typeof path === 'string'
      ? readConfigFile(path, own, sources.sections)
      : undefined;
  const valueOf = (key: string): OptionValue | undefined => given.get(key) ?? file?.values.get(key);
  const dev = valueOf('dev') === true;
  const secrets = readSecrets(table, valueOf);
  const settings = Object.entries(table).map(
    ([key, row]) => [key, secrets.get(key) ?? valueOf(key) ?? defaultOf(row, dev)] as const,
  );
  const values = Object.fromEntries(settings);
  refusePublicDevelopment(table, values);
  refuseWeakSecrets(table, values);
  const sections = file?.sections ?? readSection(sources.sections, {}, '');
  return { ...(values as Settings<T>), ...sections };
}

function defaultOf(row: OptionRow, dev: boolean): OptionValue | undefined {
  if (row.kind === 'flag') return false;
  return dev ? (row.devDefault ?? row.default) : row.default;
}

function variables(table: OptionTable, { env, others }: SettingsSources): Map<string, OptionValue> {
  const set = ownVariables(env);
  const values = new Map<string, OptionValue>();
  const known = new Set(others);
  for (const [key, row] of Object.entries(table)) {
    const name = variableName(key, row);
    known.add(name);
    const text = set.get(name);
    if (text !== undefined) values.set(key, parseValue(row, text, name));
  }
  refuseUnknown(set.keys(), known);
  return values;
}

function flags(table: OptionTable, argv: readonly string[]): Map<string, OptionValue> {
  const rows = new Map(Object.entries(table).map(([key, row]) => [flagName(key), { key, row }]));
  const options = Object.fromEntries(
    [...rows].map(([name, { row }]) => [
      name,
      { type: row.kind === 'flag' ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true });
  const values = new Map<string, OptionValue>();
  for (const token of tokens) {
    if (token.kind !== 'option') {
      const text = token.kind === 'positional' ? token.value : '--';
      throw new SettingsError(`unexpected argument '${text}' (see --help)`);
    }
    const known = token.rawName.startsWith('--') ? rows.get(token.name) : undefined;
    if (known === undefined) throw new SettingsError(`unknown flag ${token.rawName} (see --help)`);
    const { key, row } = known;
    values.set(key, parseValue(row, flagText(row, token.rawName, token), token.rawName));
  }
  return values;
}

function flagText(
  row: OptionRow,
  flag: string,
  given: { value?: string | undefined; inlineValue?: boolean | undefined },
): string {
  if (row.kind === 'flag') return given.value ?? 'true';
  // `--port --dev`: the next flag is not a value, whatever parseArgs makes of it.
  if (given.value === undefined || (!given.inlineValue && given.value.startsWith('--'))) {
    throw new SettingsError(`${flag} needs a value (see --help)`);
  }
  return given.value;
}
