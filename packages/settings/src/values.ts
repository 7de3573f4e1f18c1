import { SettingsError } from './errors.ts';
import type { OptionRow, OptionValue } from './options.ts';
import { parseUrl } from './parse-url.ts';

/**
 * The value of an option from text.
 * @param source where the text stands, for the message: `--port`, `TRUNKLINE_PORT`
 * @throws SettingsError
 */
export function parseValue(row: OptionRow, text: string, source: string): OptionValue {
  const value = parsed(row, text);
  if (value !== undefined) return value;
  const shown = row.secret ? 'the value' : `'${text.replaceAll(/\s/g, ' ')}'`;
  throw new SettingsError(`${source}: ${shown} is not ${expectation(row)}`);
}

function parsed(row: OptionRow, text: string): OptionValue | undefined {
  switch (row.kind) {
    case 'string':
      return text === '' ? undefined : text;
    case 'url':
      return /^https?:$/.test(parseUrl(text)?.protocol ?? '') ? text : undefined;
    case 'port':
      return integer(text, 0, 65535);
    case 'integer':
      return integer(text, row.min, row.max);
    case 'flag':
      return FLAG_WORDS.get(text.toLowerCase());
    case 'list': {
      const elements = text.split(',').map((element) => element.trim());
      return elements.includes('') ? undefined : elements;
    }
    case 'choice':
      return row.choices.includes(text) ? text : undefined;
  }
}

const FLAG_WORDS = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

function integer(text: string, min: number, max: number): number | undefined {
  const number = /^-?\d{1,15}$/.test(text) ? Number(text) : NaN;
  return number >= min && number <= max ? number : undefined;
}

/** What a value must be: ends the sentence "'x' is not ...". */
function expectation(row: OptionRow): string {
  switch (row.kind) {
    case 'string':
      return 'a text of at least one character';
    case 'url':
      return 'an absolute http or https URL';
    case 'port':
      return 'an integer from 0 to 65535';
    case 'integer':
      return `an integer from ${row.min} to ${row.max}`;
    case 'flag':
      return 'true or false';
    case 'list':
      return 'a comma-separated list without empty elements';
    case 'choice':
      return `one of ${row.choices.join(', ')}`;
  }
}
