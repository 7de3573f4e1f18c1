import type { TrunklineError } from '../errors.ts';
import { badOptions } from '../errors.ts';
import { checkOptions } from '../option-tables/check.ts';
import { METHOD_OPTIONS } from '../option-tables/tables.ts';
import { Hub } from './hub.ts';
import type { HubType } from './hub.ts';
import type { HubMethodOptions, Schema } from './hub-methods.ts';

export type MethodFunction = (...args: unknown[]) => unknown;

export interface HubMethod {
  /** As the class spells it. */
  readonly name: string;
  readonly run: MethodFunction;
  /** Ordinary arguments that a call must bring at the least, and may at the most. */
  readonly fewest: number;
  readonly most: number;
  /** Streams that a call uploads, and the schemas of their items where there are any. */
  readonly uploads: number;
  readonly uploadSchemas: readonly Schema[];
  /** Whether it answers with a stream. */
  readonly streams: boolean;
  /** What a call has to pass before it starts; undefined where that is nothing. */
  readonly checks: MethodChecks | undefined;
}

export interface MethodChecks {
  /** One for each ordinary argument; undefined where arguments are not looked at. */
  readonly parameters: readonly Schema[] | undefined;
  readonly authorize: HubMethodOptions['authorize'];
}

/** Callable methods by their names in lower case; a name that is not here does not exist. */
export type MethodTable = ReadonlyMap<string, HubMethod>;

const NOT_CALLABLE = new Set([
  'constructor',
  'onConnected',
  'onAuthenticationRefresh',
  'onDisconnected',
]);
const GENERATORS = new Set(['GeneratorFunction', 'AsyncGeneratorFunction']);

/**
 * What clients may call on a hub class: its static `methods`, or else the methods of the class and
 * of its ancestors up to Hub, lifecycle hooks and names starting with `_` aside. Names that differ
 * only in case are an error, as overloads are in ASP.NET. Throws TrunklineError `bad-options`.
 */
export function methodTable(hubClass: HubType<Hub<never>>): MethodTable {
  requireClass(hubClass);
  const found = classMethods(hubClass);
  const table = new Map<string, HubMethod>();
  for (const [own, options] of listed(hubClass, found)) {
    const run = found.get(own);
    if (run === undefined) throw badHub(hubClass, `methods names '${own}', which is no method`);
    const method = describe(hubClass, own, run, options);
    for (const name of [options.name ?? own, ...(options.aliases ?? [])]) {
      const key = name.toLowerCase();
      if (table.has(key)) {
        throw badHub(hubClass, `Duplicate definitions of '${name}'. Overloading is not supported.`);
      }
      table.set(key, method);
    }
  }
  return table;
}

/** The class' own names of its callable methods, with what it says of them. */
function listed(
  { methods }: HubType<Hub<never>>,
  found: ReadonlyMap<string, MethodFunction>,
): readonly (readonly [string, HubMethodOptions])[] {
  if (methods !== undefined && !isList(methods)) return Object.entries(methods);
  const names = methods ?? [...found.keys()].filter((name) => !name.startsWith('_'));
  return names.map((name) => [name, {}]);
}

function isList(
  methods: NonNullable<HubType<Hub<never>>['methods']>,
): methods is readonly string[] {
  return Array.isArray(methods);
}

function describe(
  hubClass: HubType<Hub<never>>,
  name: string,
  run: MethodFunction,
  options: HubMethodOptions,
): HubMethod {
  checkOptions(`hub class '${hubClass.name}': methods.${name}`, METHOD_OPTIONS, options);
  const { authorize } = options;
  const parameters = counted(options.parameters);
  const uploads = counted(options.uploads ?? 0);
  const schemas = [...(parameters.schemas ?? []), ...(uploads.schemas ?? [])];
  if (schemas.some((schema) => typeof schema['~standard']?.validate !== 'function')) {
    throw badHub(hubClass, `'${name}' has a schema that is no Standard Schema`);
  }
  const declared = parameters.count + uploads.count;
  if (declared < run.length) {
    const counts = `takes ${run.length} arguments, its parameters and uploads are ${declared}`;
    throw badHub(hubClass, `'${name}' ${counts}`);
  }
  const isGenerator = GENERATORS.has(run.constructor.name);
  if (isGenerator && options.streams === false) {
    throw badHub(hubClass, `'${name}' is a generator function, which streams`);
  }
  const checked = parameters.schemas !== undefined || authorize !== undefined;
  return {
    name,
    run,
    // Where there are schemas, an argument that is missing is theirs to judge.
    fewest: parameters.schemas === undefined ? Math.max(0, run.length - uploads.count) : 0,
    most: parameters.schemas === undefined ? parameters.count : Infinity,
    uploads: uploads.count,
    uploadSchemas: uploads.schemas ?? [],
    streams: options.streams ?? isGenerator,
    checks: checked ? { parameters: parameters.schemas, authorize } : undefined,
  };
}

/** How many arguments or streams a method takes, and the schemas where these have said so. */
function counted(given: readonly Schema[] | number | undefined): {
  readonly count: number;
  readonly schemas?: readonly Schema[];
} {
  if (typeof given === 'object') return { count: given.length, schemas: given };
  return { count: given ?? Infinity };
}

/** An arrow function, as containers of dependencies take one, has no methods to look up. */
function requireClass(hubClass: unknown): void {
  if (typeof hubClass === 'function' && typeof hubClass.prototype === 'object') return;
  throw badOptions(
    'server.hub() takes a class that extends Hub, after the path; what makes its objects is the option create',
  );
}

/** By exact name; a subclass' own hides its ancestors'. */
function classMethods(hubClass: HubType<Hub<never>>): Map<string, MethodFunction> {
  const found = new Map<string, MethodFunction>();
  let prototype = hubClass.prototype as object | null;
  while (prototype !== null && prototype !== Hub.prototype) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (typeof value !== 'function' || NOT_CALLABLE.has(name) || found.has(name)) continue;
      found.set(name, value as MethodFunction);
    }
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
  if (prototype === null) throw badHub(hubClass, 'it does not extend Hub');
  return found;
}

function badHub(hubClass: HubType<Hub<never>>, why: string): TrunklineError {
  return badOptions(`hub class '${hubClass.name}': ${why}`);
}
