import { TrunklineError } from '../errors.ts';
import { Hub } from './hub.ts';
import type { HubClass } from './hub.ts';

export type MethodFunction = (...args: unknown[]) => unknown;

export interface HubMethod {
  /** As the class spells it. */
  readonly name: string;
  readonly run: MethodFunction;
  /** Arguments that a call must bring at the least. */
  readonly parameters: number;
  /** Known to answer with a stream, so that it need not be run to find that out. */
  readonly streams: boolean;
}

/** Callable methods by their names in lower case; a name that is not here does not exist. */
export type MethodTable = ReadonlyMap<string, HubMethod>;

const NOT_CALLABLE = new Set(['constructor', 'onConnected', 'onDisconnected']);
const GENERATORS = new Set(['GeneratorFunction', 'AsyncGeneratorFunction']);

/**
 * What clients may call on a hub class: its static `methods`, or else the methods of the class and
 * of its ancestors up to Hub, lifecycle hooks and names starting with `_` aside. Names that differ
 * only in case are an error, as overloads are in ASP.NET. Throws TrunklineError `bad-options`.
 */
export function methodTable(hubClass: HubClass<never>): MethodTable {
  const found = classMethods(hubClass);
  const names = hubClass.methods ?? [...found.keys()].filter((name) => !name.startsWith('_'));
  const table = new Map<string, HubMethod>();
  for (const name of names) {
    const run = found.get(name);
    if (run === undefined) throw badHub(hubClass, `methods names '${name}', which is no method`);
    if (table.has(name.toLowerCase())) {
      throw badHub(hubClass, `Duplicate definitions of '${name}'. Overloading is not supported.`);
    }
    const streams = GENERATORS.has(run.constructor.name);
    table.set(name.toLowerCase(), { name, run, parameters: run.length, streams });
  }
  return table;
}

/** By exact name; a subclass' own hides its ancestors'. */
function classMethods(hubClass: HubClass<never>): Map<string, MethodFunction> {
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

function badHub(hubClass: HubClass<never>, why: string): TrunklineError {
  return new TrunklineError('bad-options', `hub class '${hubClass.name}': ${why}`);
}
