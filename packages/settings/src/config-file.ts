import { readFileSync } from 'node:fs';
import { SettingsError } from './errors.ts';
import { flagName } from './options.ts';
import type { OptionTable, OptionValue } from './options.ts';
import { asText } from './json-values.ts';
import type { Section, SectionTable } from './sections.ts';
import { readSection } from './sections.ts';
import { parseValue } from './values.ts';

/** What a config file says: values of options, and sections that no flag has room for. */
export interface ConfigFile<S extends SectionTable> {
  readonly values: ReadonlyMap<string, OptionValue>;
  readonly sections: Section<S>;
}

/**
 * Reads a JSON object of settings. Keys are flag names, `adminPort` or `admin-port`; values are
 * what the option is, a number, a boolean, an array of texts, or the text a flag would have.
 * @throws SettingsError
 */
export function readConfigFile<S extends SectionTable>(
  path: string,
  table: OptionTable,
  sections: S,
): ConfigFile<S> {
  const keys = new Map(
    Object.keys(table).flatMap((key) => [[key, key] as const, [flagName(key), key] as const]),
  );
  const values = new Map<string, OptionValue>();
  const nested: [string, unknown][] = [];
  for (const [name, value] of Object.entries(readObject(path))) {
    if (Object.hasOwn(sections, name)) {
      nested.push([name, value]);
      continue;
    }
    const key = keys.get(name);
    const row = key === undefined ? undefined : table[key];
    if (key === undefined || row === undefined) {
      throw new SettingsError(`${path}: '${name}' is not a setting (see --help)`);
    }
    if (values.has(key)) throw new SettingsError(`${path}: '${name}' is given twice`);
    const source = `${path}: ${name}`;
    values.set(key, parseValue(row, asText(row, value, source), source));
  }
  return { values, sections: readSection(sections, Object.fromEntries(nested), `${path}:`) };
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
    // Editors on Windows begin a file with a byte order mark, which is no JSON.
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
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
