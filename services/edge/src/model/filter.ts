/** A connection as a filter sees it. */
export interface FilterSubject {
  readonly connectionId: string;
  readonly userId: string | undefined;
  isIn(group: string): boolean;
}

/** Whether a connection is chosen. */
export type Filter = (subject: FilterSubject) => boolean;

/** A text that is no filter; the message says where. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
}

type Value = string | number | boolean | null;
type Expression = (subject: FilterSubject) => Value;

/**
 * Reads a filter over connections, in the OData language of the hosted services (REST reference, section
 * 1.5): `userId`, `connectionId`, `groups`; `eq ne gt ge lt le`, `in groups`, `in ('a', 'b')`, `and or
 * not`; functions of texts; `'text'`, numbers, `true`, `false`, `null`. Names and operators are in lower
 * case, `userId` and `connectionId` as they are here. A comparison with nothing is false, but for `eq`
 * and `ne`. An empty text chooses all. Throws FilterError.
 */
export function parseFilter(text: string): Filter {
  if (text.trim() === '') return () => true;
  const parser = new FilterParser(tokensOf(text));
  const expression = parser.whole();
  return (subject) => expression(subject) === true;
}

const TOKEN = /\s*(?:('(?:[^']|'')*')|(-?\d+(?:\.\d+)?)|([A-Za-z]+)|([(),]))/y;
const MOST_TOKENS = 1000;
const MOST_LEVELS = 50;

type Token =
  | { readonly kind: 'text' | 'word' | 'mark'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number };

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const rest = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < rest.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(rest);
    if (match === null) throw new FilterError(`Invalid filter at character ${at + 1}.`);
    if (tokens.length === MOST_TOKENS) throw new FilterError('The filter is too long.');
    tokens.push(tokenOf(match));
  }
  return tokens;
}

function tokenOf([, quoted, number, word, mark]: RegExpExecArray): Token {
  if (quoted !== undefined) {
    return { kind: 'text', text: quoted.slice(1, -1).replaceAll("''", "'") };
  }
  if (number !== undefined) return { kind: 'number', value: Number(number) };
  return word === undefined ? { kind: 'mark', text: mark! } : { kind: 'word', text: word };
}

const VARIABLES: ReadonlyMap<string, Expression> = new Map<string, Expression>([
  ['userId', ({ userId }) => userId ?? null],
  ['connectionId', ({ connectionId }) => connectionId],
  ['null', () => null],
  ['true', () => true],
  ['false', () => false],
]);

const COMPARISONS: ReadonlyMap<string, (one: Value, other: Value) => boolean> = new Map([
  ['eq', (one: Value, other: Value) => one === other],
  ['ne', (one: Value, other: Value) => one !== other],
  ['gt', (one: Value, other: Value) => comparable(one, other) && one! > other!],
  ['ge', (one: Value, other: Value) => comparable(one, other) && one! >= other!],
  ['lt', (one: Value, other: Value) => comparable(one, other) && one! < other!],
  ['le', (one: Value, other: Value) => comparable(one, other) && one! <= other!],
]);

function comparable(one: Value, other: Value): boolean {
  return one !== null && typeof one === typeof other;
}

/** Their arguments, and what they make of them; of arguments of another type, nothing. */
const FUNCTIONS: ReadonlyMap<string, readonly [types: string, apply: (...args: never[]) => Value]> =
  new Map<string, readonly [string, (...args: never[]) => Value]>([
    ['tolower', ['s', (text: string) => text.toLowerCase()]],
    ['toupper', ['s', (text: string) => text.toUpperCase()]],
    ['trim', ['s', (text: string) => text.trim()]],
    ['length', ['s', (text: string) => text.length]],
    ['indexof', ['ss', (text: string, part: string) => text.indexOf(part)]],
    ['concat', ['ss', (one: string, other: string) => one + other]],
    ['startswith', ['ss', (text: string, part: string) => text.startsWith(part)]],
    ['endswith', ['ss', (text: string, part: string) => text.endsWith(part)]],
    ['contains', ['ss', (text: string, part: string) => text.includes(part)]],
    ['substring', ['sn', (text: string, from: number) => text.substring(from)]],
    [
      'substring3',
      ['snn', (text: string, from: number, size: number) => text.substring(from, from + size)],
    ],
  ]);

class FilterParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #level = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    const expression = this.#or();
    if (this.#at < this.#tokens.length) throw this.#unexpected();
    return expression;
  }

  #or(): Expression {
    if (++this.#level > MOST_LEVELS) throw new FilterError('The filter nests too deeply.');
    const parts = [this.#and()];
    while (this.#takes('or')) parts.push(this.#and());
    this.#level--;
    if (parts.length === 1) return parts[0]!;
    return (subject) => parts.some((part) => part(subject) === true);
  }

  #and(): Expression {
    const parts = [this.#not()];
    while (this.#takes('and')) parts.push(this.#not());
    if (parts.length === 1) return parts[0]!;
    return (subject) => parts.every((part) => part(subject) === true);
  }

  #not(): Expression {
    let isNegated = false;
    let isNot = false;
    while (this.#takes('not')) {
      isNot = true;
      isNegated = !isNegated;
    }
    const part = this.#comparison();
    return isNot ? (subject) => (part(subject) === true) !== isNegated : part;
  }

  #comparison(): Expression {
    const left = this.#value();
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word') return left;
    if (this.#takes('in')) return this.#membership(left);
    const compare = COMPARISONS.get(token.text);
    if (compare === undefined) return left;
    this.#at++;
    const right = this.#value();
    return (subject) => compare(left(subject), right(subject));
  }

  #membership(left: Expression): Expression {
    if (this.#takes('groups')) {
      return (subject) => {
        const group = left(subject);
        return typeof group === 'string' && subject.isIn(group);
      };
    }
    this.#expect('(');
    const values = this.#list();
    return (subject) => {
      // Once: it may have a list within it, which has another one, and each would double the work.
      const sought = left(subject);
      return values.some((value) => value(subject) === sought);
    };
  }

  #value(): Expression {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw this.#unexpected();
    if (token.kind === 'number') return () => token.value;
    if (token.kind === 'text') return () => token.text;
    if (token.kind === 'mark') {
      if (token.text !== '(') throw this.#unexpected(-1);
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    const variable = VARIABLES.get(token.text);
    if (variable !== undefined) return variable;
    if (!FUNCTIONS.has(token.text) || !this.#takes('(')) throw this.#unexpected(-1);
    return call(token.text, this.#list());
  }

  /** Behind an opening parenthesis, to the closing one. */
  #list(): Expression[] {
    const values = [this.#or()];
    while (this.#takes(',')) values.push(this.#or());
    this.#expect(')');
    return values;
  }

  #takes(text: string): boolean {
    const token = this.#tokens[this.#at];
    const isIt = (token?.kind === 'word' || token?.kind === 'mark') && token.text === text;
    if (isIt) this.#at++;
    return isIt;
  }

  #expect(text: string): void {
    if (!this.#takes(text)) throw this.#unexpected();
  }

  #unexpected(back = 0): FilterError {
    const token = this.#tokens[this.#at + back];
    if (token === undefined) return new FilterError('The filter ends too early.');
    const text = token.kind === 'number' ? String(token.value) : token.text;
    return new FilterError(`Invalid filter at '${text}'.`);
  }
}

function call(name: string, args: readonly Expression[]): Expression {
  const known = FUNCTIONS.get(name === 'substring' && args.length === 3 ? 'substring3' : name)!;
  const [types, apply] = known;
  if (types.length !== args.length) {
    throw new FilterError(`${name} has ${types.length} arguments, not ${args.length}.`);
  }
  return (subject) => {
    const values = args.map((arg) => arg(subject));
    const fit = values.every((value, at) => (typeof value).startsWith(types[at]!));
    return fit ? (apply as (...given: Value[]) => Value)(...values) : null;
  };
}
