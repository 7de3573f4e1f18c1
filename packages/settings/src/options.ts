/** One row of an option table: what a process can be told, by flag, variable or config file. */
export type OptionRow =
  | (Common & Defaults<string> & { readonly kind: 'string' })
  /** An absolute http or https URL. */
  | (Common & Defaults<string> & { readonly kind: 'url' })
  /** A TCP port; 0 lets the system pick a free one. */
  | (Common & Defaults<number> & { readonly kind: 'port' })
  | (Common &
      Defaults<number> & { readonly kind: 'integer'; readonly min: number; readonly max: number })
  /** True or false, false unless given. `--flag` alone means true. */
  | (Common & { readonly kind: 'flag' })
  /** Comma separated, blanks around elements dropped, no element empty. */
  | (Common & Defaults<readonly string[]> & { readonly kind: 'list' })
  | (Common & Defaults<string> & { readonly kind: 'choice'; readonly choices: readonly string[] });

interface Common {
  /** One sentence for `--help` and the documentation page. */
  readonly help: string;
  /** The variable, where it is not `TRUNKLINE_` and the key in capitals. */
  readonly env?: string;
  /** The value never appears in an error message, and may come from a file: `--<flag>-file`. */
  readonly secret?: true;
  /** The value, or each of a list, is a key to sign with: outside `--dev` it has a least length. */
  readonly isKey?: true;
  /** An address to listen on. With `--dev` it must be this machine's own, unless `--dev-public`. */
  readonly listens?: true;
}

interface Defaults<T> {
  readonly default?: T;
  /** Instead of `default` when the table's flag `dev` is on. */
  readonly devDefault?: T;
}

/** Keys are camel case: `adminPort` is the flag `--admin-port` and `TRUNKLINE_ADMIN_PORT`. */
export type OptionTable = Readonly<Record<string, OptionRow>>;

export type OptionValue = string | number | boolean | readonly string[];

/** The values of a table's options; undefined where one was not given and has no default. */
export type Settings<T extends OptionTable> = {
  readonly [K in keyof T]: ValueOf<T[K]> | (HasDefault<T[K]> extends true ? never : undefined);
};

export type HasDefault<R> = R extends { kind: 'flag' } | { default: unknown } ? true : false;

export type ValueOf<R extends OptionRow> = R extends { kind: 'port' | 'integer' }
  ? number
  : R extends { kind: 'flag' }
    ? boolean
    : R extends { kind: 'list' }
      ? readonly string[]
      : R extends { kind: 'choice'; choices: readonly (infer Choice)[] }
        ? Choice
        : string;

/** Declares a table; the literal types of its rows give `Settings` its types. */
export function defineOptions<const T extends OptionTable>(table: T): T {
  return table;
}

/** `adminPort` gives `admin-port`. */
export function flagName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `adminPort` gives `TRUNKLINE_ADMIN_PORT`, unless its row says otherwise. */
export function variableName(key: string, row: OptionRow): string {
  return row.env ?? `TRUNKLINE_${flagName(key).replaceAll('-', '_').toUpperCase()}`;
}
