import { SettingsError } from './errors.ts';
import { asText } from './json-values.ts';
import { flagName } from './options.ts';
import type { HasDefault, OptionRow, OptionValue, ValueOf } from './options.ts';
import { fileKey, readSecretFile } from './secret-files.ts';
import { parseValue } from './values.ts';

/** What is too much for a flag, and stands in the config file alone: sections within it. */
export type SectionRow =
  /** An object of sections of one kind, under names that its author chooses. */
  | {
      readonly kind: 'named';
      readonly help: string;
      /** What is named, for `hubs.<hub>`. */
      readonly what: string;
      readonly names: RegExp;
      /** Ends the sentence "'x' is not ...". */
      readonly namesAre: string;
      readonly of: SectionTable;
    }
  /** A list of sections of one kind. */
  | { readonly kind: 'items'; readonly help: string; readonly of: SectionTable };

/** What may stand in one section: plain values, as in an option table, and sections within. */
export type SectionTable = Readonly<Record<string, OptionRow | SectionRow>>;

/** The values of a section; undefined where one was not given and has no default. */
export type Section<T extends SectionTable> = { readonly [K in keyof T]: SectionValue<T[K]> };

type SectionValue<R extends OptionRow | SectionRow> = R extends { kind: 'named'; of: infer T }
  ? T extends SectionTable
    ? ReadonlyMap<string, Section<T>> | undefined
    : never
  : R extends { kind: 'items'; of: infer T }
    ? T extends SectionTable
      ? readonly Section<T>[] | undefined
      : never
    : R extends OptionRow
      ? ValueOf<R> | (HasDefault<R> extends true ? never : undefined)
      : never;

/** Declares a table of sections; the literal types of its rows give `Section` its types. */
export function defineSections<const T extends SectionTable>(table: T): T {
  return table;
}

/**
 * The values of a section.
 * @param source the way to it, for messages: `edge.json:` or `edge.json: hubs.chat`
 * @throws SettingsError that names the place of what is wrong, and what may stand there
 */
export function readSection<T extends SectionTable>(
  table: T,
  given: unknown,
  source: string,
): Section<T> {
  const values = new Map<string, unknown>();
  for (const [name, value] of Object.entries(objectAt(given, source))) {
    const known = lookUp(table, name);
    const place = source.endsWith(':') ? `${source} ${name}` : `${source}.${name}`;
    if (known === undefined)
      throw new SettingsError(`${place} is no setting: ${choices(table, source)}`);
    const { key, row, fromFile } = known;
    if (values.has(key)) throw new SettingsError(`${place} is given twice: give ${key} once`);
    values.set(key, fromFile ? secretFrom(row, value, place) : readRow(row, value, place));
  }
  const rows = Object.entries(table).map(
    ([key, row]) => [key, values.get(key) ?? defaultOf(row)] as const,
  );
  return Object.fromEntries(rows) as Section<T>;
}

/** The row that a name in the file is for. A secret may be named by its file, too. */
function lookUp(
  table: SectionTable,
  name: string,
): { key: string; row: OptionRow | SectionRow; fromFile: boolean } | undefined {
  for (const [key, row] of Object.entries(table)) {
    if (isNamed(key, name)) return { key, row, fromFile: false };
    if ('secret' in row && isNamed(fileKey(key), name)) return { key, row, fromFile: true };
  }
  return undefined;
}

function isNamed(key: string, name: string): boolean {
  return name === key || name === flagName(key);
}

/** `hubs.chat takes a, b, c`. */
function choices(table: SectionTable, source: string): string {
  const keys = Object.entries(table).flatMap(([key, row]) =>
    'secret' in row ? [key, fileKey(key)] : [key],
  );
  return `${source.slice(source.lastIndexOf(': ') + 2)} takes ${keys.join(', ')}`;
}

function readRow(row: OptionRow | SectionRow, value: unknown, source: string): unknown {
  switch (row.kind) {
    case 'named':
      return readNamed(row, value, source);
    case 'items':
      if (!Array.isArray(value)) throw new SettingsError(`${source} must be a list, [{...}, ...]`);
      return value.map((item, index) => readSection(row.of, item, `${source}[${index}]`));
    default:
      return parseValue(row, asText(row, value, source), source);
  }
}

function readNamed(
  row: SectionRow & { kind: 'named' },
  value: unknown,
  source: string,
): Map<string, unknown> {
  const sections = new Map<string, unknown>();
  for (const [name, section] of Object.entries(objectAt(value, source))) {
    if (!row.names.test(name)) {
      throw new SettingsError(`${source}: '${name}' is not ${row.namesAre}`);
    }
    sections.set(name, readSection(row.of, section, `${source}.${name}`));
  }
  return sections;
}

function secretFrom(row: OptionRow | SectionRow, value: unknown, source: string): OptionValue {
  if (typeof value !== 'string') throw new SettingsError(`${source} must be the path of a file`);
  return readSecretFile(row as OptionRow, value, `${source}: ${value}`);
}

function objectAt(value: unknown, source: string): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new SettingsError(`${source} must be an object, {...}`);
}

function defaultOf(row: OptionRow | SectionRow): OptionValue | undefined {
  return 'default' in row ? row.default : undefined;
}

/** One row of the documentation: where it stands in the file, and what it is. */
export interface SectionDescription {
  /** `hubs.<hub>.upstream[].eventPattern` */
  readonly path: string;
  /** `wait|upstream|refuse`; empty for sections. */
  readonly values: string;
  readonly default: string;
  readonly help: string;
}

/** Every row of a table and of the sections within, in order, a secret's file behind it. */
export function describeSections(table: SectionTable, before = ''): SectionDescription[] {
  return Object.entries(table).flatMap(([key, row]): SectionDescription[] => {
    const path = `${before}${key}`;
    const { help } = row;
    if (row.kind === 'named' || row.kind === 'items') {
      const within = row.kind === 'named' ? `${path}.<${row.what}>.` : `${path}[].`;
      return [{ path, values: '', default: '', help }, ...describeSections(row.of, within)];
    }
    const own = { path, values: valuesOf(row), default: String(defaultOf(row) ?? ''), help };
    if (row.kind === 'flag' || row.secret !== true) return [own];
    const file = `File that holds ${key}, instead of it. Read again on SIGHUP.`;
    return [own, { path: `${before}${fileKey(key)}`, values: 'text', default: '', help: file }];
  });
}

function valuesOf(row: OptionRow): string {
  switch (row.kind) {
    case 'choice':
      return row.choices.join('|');
    case 'integer':
      return `${row.min}..${row.max}`;
    case 'port':
      return '0..65535';
    case 'flag':
      return 'true|false';
    case 'list':
      return 'text,text';
    case 'url':
      return 'url';
    case 'string':
      return 'text';
  }
}
