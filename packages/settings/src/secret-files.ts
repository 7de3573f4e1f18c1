import { readFileSync } from 'node:fs';
import { SettingsError } from './errors.ts';
import { flagName, variableName } from './options.ts';
import type { OptionRow, OptionTable, OptionValue } from './options.ts';
import { parseValue } from './values.ts';

/**
 * The table with a twin beside every secret: `--access-keys-file` (`TRUNKLINE_ACCESS_KEYS_FILE`) names
 * a file that holds what `--access-keys` would be given. Arguments and variables can be seen by others
 * on the machine, and do not change while a process runs; a file is read again.
 */
export function withSecretFiles(table: OptionTable): OptionTable {
  const rows = Object.entries(table).flatMap(([key, row]): [string, OptionRow][] =>
    row.secret === true
      ? [
          [key, row],
          [fileKey(key), fileRow(key, row)],
        ]
      : [[key, row]],
  );
  return Object.fromEntries(rows);
}

/**
 * The secrets of a table, each as it was given or from its file. A byte order mark at the file's start and
 * a line break at its end are not part of it; in a list each line is an element.
 * @throws SettingsError for a secret given both ways, and for a file that cannot be read or is empty
 */
export function readSecrets(
  table: OptionTable,
  valueOf: (key: string) => OptionValue | undefined,
): Map<string, OptionValue> {
  const secrets = new Map<string, OptionValue>();
  for (const [key, row] of Object.entries(table)) {
    if (row.secret !== true) continue;
    const given = valueOf(key);
    const path = valueOf(fileKey(key));
    if (given !== undefined && path !== undefined) {
      throw new SettingsError(
        `both --${flagName(key)} and --${flagName(fileKey(key))} are set (or ${variableName(key, row)} and ${fileVariable(key, row)}): give one of them`,
      );
    }
    const source = `--${flagName(fileKey(key))}: ${String(path)}`;
    if (path !== undefined) secrets.set(key, readSecretFile(row, String(path), source));
    else if (given !== undefined) secrets.set(key, given);
  }
  return secrets;
}

/** What a secret's file holds. `source`: the setting that names it, and its path. */
export function readSecretFile(row: OptionRow, path: string, source: string): OptionValue {
  const text = readText(path, source).replace(/[\r\n]+$/, '');
  if (text === '') throw new SettingsError(`${source} is empty`);
  return parseValue(row, row.kind === 'list' ? text.replaceAll(/\r?\n/g, ',') : text, source);
}

function readText(path: string, source: string): string {
  try {
    // Editors on Windows begin a file with a byte order mark, which nobody sees.
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new SettingsError(`${source} cannot be read (${code})`);
  }
}

/** The key beside a secret's own that names its file. */
export function fileKey(key: string): string {
  return `${key}File`;
}

function fileVariable(key: string, row: OptionRow): string {
  return `${variableName(key, row)}_FILE`;
}

function fileRow(key: string, row: OptionRow): OptionRow {
  return {
    kind: 'string',
    env: fileVariable(key, row),
    help: `File that holds --${flagName(key)}, instead of it.`,
  };
}
