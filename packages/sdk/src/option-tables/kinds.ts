/** What an option takes: how that is said, and whether a value is that. */
export interface Kind<Value> {
  /** As an error says it behind `takes`: `a text`. */
  readonly takes: string;
  readonly accepts: (value: unknown) => value is Value;
}

/** The largest delay that JavaScript's timers keep, some 24.8 days; a longer one fires at once. */
const MAX_MS = 2 ** 31 - 1;

export const text: Kind<string> = kind('a text', (value) => typeof value === 'string');

export const flag: Kind<boolean> = kind('true or false', (value) => typeof value === 'boolean');

/** Of any type: what it takes and answers shows when it is called. */
export function callback<Value extends (...args: never[]) => unknown>(): Kind<Value> {
  return kind('a function', (value) => typeof value === 'function');
}

export const signal: Kind<AbortSignal> = kind(
  'an AbortSignal',
  (value) => value instanceof AbortSignal,
);

export const date: Kind<Date> = kind(
  'a valid Date',
  (value) => value instanceof Date && !Number.isNaN(value.getTime()),
);

/** Names, or a single one. */
export const names: Kind<string | readonly string[]> = kind(
  'a text or a list of texts',
  (value) => typeof value === 'string' || (Array.isArray(value) && value.every(isText)),
);

/** Any object that is no list: what is in it is checked where it is read. */
export function object<Value extends object>(): Kind<Value> {
  return kind('an object', isObject);
}

export function objectOrFunction<Value extends object>(): Kind<Value> {
  return kind('an object or a function', (value) => isObject(value) || typeof value === 'function');
}

/** A whole number, in its unit: `bytes`, `seconds`. */
export function whole(min: number, max = Number.MAX_SAFE_INTEGER, unit = ''): Kind<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? `${min} on` : `${min} to ${max}`;
  return kind(
    `a whole number${unit && ` of ${unit}`} from ${range}`,
    (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
  );
}

export function milliseconds(min: 0 | 1): Kind<number> {
  return kind(
    `a number of milliseconds from ${min} to ${MAX_MS}`,
    (value) => typeof value === 'number' && value >= min && value <= MAX_MS,
  );
}

/** One at the least, or Infinity for no end. */
export function patience(): Kind<number> {
  const { takes, accepts } = milliseconds(1);
  return kind(`${takes}, or Infinity`, (value) => value === Infinity || accepts(value));
}

export function orNull<Value>(
  { takes, accepts }: Kind<Value>,
  meaning: string,
): Kind<Value | null> {
  return kind(`${takes}, or null for ${meaning}`, (value) => value === null || accepts(value));
}

/** What either of them takes. */
export function either<One, Other>(one: Kind<One>, other: Kind<Other>): Kind<One | Other> {
  return kind(
    `${one.takes} or ${other.takes}`,
    (value) => one.accepts(value) || other.accepts(value),
  );
}

export function oneOf<Name extends string>(...choices: readonly Name[]): Kind<Name> {
  return kind(listed(choices, 'or'), (value) => choices.includes(value as Name));
}

/** One or more of these names. */
export function someOf<Name extends string>(...choices: readonly Name[]): Kind<readonly Name[]> {
  return kind(
    `a list of one or more of ${listed(choices, 'and')}`,
    (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((item) => choices.includes(item as Name)),
  );
}

export function listOf<Value>(what: string, { accepts }: Kind<Value>): Kind<readonly Value[]> {
  return kind(`a list of ${what}`, (value) => Array.isArray(value) && value.every(accepts));
}

/** An object, of whatever class, that has these members as functions, or may have them. */
export function methods<Value extends object>(
  takes: string,
  wanted: { readonly [Name in keyof Value]-?: 'needed' | 'optional' },
): Kind<Value> {
  return kind(takes, (value) => {
    if (!isObject(value)) return false;
    return Object.entries(wanted).every(([name, need]) => {
      const member = (value as Record<string, unknown>)[name];
      return typeof member === 'function' || (member === undefined && need === 'optional');
    });
  });
}

function kind<Value>(takes: string, accepts: (value: unknown) => boolean): Kind<Value> {
  return { takes, accepts: accepts as Kind<Value>['accepts'] };
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listed(choices: readonly string[], join: string): string {
  const quoted = choices.map((choice) => `'${choice}'`);
  return `${quoted.slice(0, -1).join(', ')} ${join} ${quoted.at(-1)}`;
}
