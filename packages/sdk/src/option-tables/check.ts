import type { TrunklineError } from '../errors.ts';
import { badOptions } from '../errors.ts';
import type { Kind } from './kinds.ts';

/**
 * What each option of `Options` takes. Every option has its line, and none a line that is not one:
 * the compiler holds the table against the type.
 */
export type OptionTable<Options> = {
  readonly [Name in keyof Options]-?: Kind<Exclude<Options[Name], undefined>>;
};

/**
 * Holds options against their table; `door` is what they were given to, `createServer`. Options that
 * are undefined are not given. Throws TrunklineError `bad-options` for the first that is not one, or
 * is not what it takes.
 */
export function checkOptions<Options extends object>(
  door: string,
  table: OptionTable<Options>,
  options: Options,
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw badOptions(`${door} takes its options as an object, not ${shown(options)}`);
  }
  const known = table as Readonly<Record<string, Kind<unknown>>>;
  for (const [name, value] of Object.entries(options)) {
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) throw unknownOption(door, name, Object.keys(known));
    if (value === undefined || kind.accepts(value)) continue;
    throw badOptions(`${door}: ${name} takes ${kind.takes}, not ${shown(value)}`);
  }
}

function unknownOption(door: string, name: string, known: readonly string[]): TrunklineError {
  const near = nearest(name.slice(0, 60), known);
  const hint = near === undefined ? `it takes ${known.join(', ')}` : `did you mean '${near}'?`;
  return badOptions(`${door}: there is no option '${name.slice(0, 60)}'; ${hint}`);
}

/** A name that a mistake or two away from this one could be meant. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((other) => ({ other, away: distance(name.toLowerCase(), other.toLowerCase()) }))
    .toSorted((a, b) => a.away - b.away);
  return best !== undefined && best.away <= Math.max(2, best.other.length / 4)
    ? best.other
    : undefined;
}

/** How many letters have to be put in, taken out or changed. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** A value as an error shows it, with its type where that does not show. */
function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      // A connection string in a wrong place has an access key in it.
      return value.includes('=') ? 'a text' : `the text ${JSON.stringify(value.slice(0, 60))}`;
    case 'function':
      return 'a function';
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value))
        return value.length === 0 ? 'an empty list' : `a list: ${items(value)}`;
      if (value instanceof Date) return 'a Date';
      return 'an object';
    default:
      return String(value);
  }
}

function items(values: readonly unknown[]): string {
  const few = values.slice(0, 3).map((value) => (Array.isArray(value) ? 'a list' : shown(value)));
  return [...few, ...(values.length > 3 ? ['…'] : [])].join(', ');
}
