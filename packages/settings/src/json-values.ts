import { SettingsError } from './errors.ts';
import type { OptionRow } from './options.ts';

/** The text that a flag would have, from a JSON value of the option's own type or from text. */
export function asText(row: OptionRow, value: unknown, source: string): string {
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
