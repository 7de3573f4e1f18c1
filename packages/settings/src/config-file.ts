import { readFileSync } from 'node:fs';
import { SettingsError } from './errors.ts';
import { flagName } from './options.ts';
import type { OptionRow, OptionTable, OptionValue } from './options.ts';
import { parseValue } from './values.ts';

/**
 * Reads a JSON object of settings. Keys are flag names, `adminPort` or `admin-port`; values are
 * what the option is, a number, a boolean, an array of texts, or the text a flag would have.
 * @throws SettingsError
 */
export function readConfigFile(path: string, table: OptionTable): Map<string, OptionValue> {
  const keys = new Map(
    Object.keys(table).flatMap((key) => [[key, key] as const, [flagName(key), key] as const]),
  );
  const values = new Map<string, OptionValue>();
  for (const [name, value] of Object.entries(readObject(path))) {
    const key = keys.get(name);
    const row = key === undefined ? undefined : table[key];
    if (key === undefined || row === undefined) {
      throw new SettingsError(`${path}: '${name}' is not a setting (see --help)`);
    }
    if (values.has(key)) throw new SettingsError(`${path}: '${name}' is given twice`);
    const source = `${path}: ${name}`;
    values.set(key, parseValue(row, asText(row, value, source), source));
  }
  return values;
}

function readObject(path: string): Record<string, unknown> {
  const value = parseJson(path, readText(path));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SettingsError(`${path} must hold one JSON object`);
  }
  return value as Record<string, unknown>;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new SettingsError(`cannot read the config file ${path} (${code})`);
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SettingsError(`${path} is not JSON`);
  }
}

/** The text that a flag would have, from a JSON value of the option's own type or from text. */
function asText(row: OptionRow, value: unknown, source: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' && row.kind === 'flag') return String(value);
  if (typeof value === 'number' && (row.kind === 'port' || row.kind === 'integer')) {
    return String(value);
  }
  if (row.kind === 'list' && Array.isArray(value)) {
    if (value.every((item) => typeof item === 'string')) return value.join(',');
  }
  throw new SettingsError(`${source}: the value has the wrong type, give ${wantedType(row)}`);
}

function wantedType(row: OptionRow): string {
  switch (row.kind) {
    case 'port':
    case 'integer':
      return 'a number';
    case 'flag':
      return 'true or false';
    case 'list':
      return 'a list of texts';
    default:
      return 'a text';
  }
}
