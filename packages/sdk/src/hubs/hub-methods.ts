import type { StandardSchemaV1 } from '@standard-schema/spec';

import type { HubContext } from '../clients/context.ts';
import type { CallableNames, OrdinaryArguments, UploadedItems } from './hub-contract.ts';

/** A schema of any library that implements Standard Schema: Zod, Valibot, ArkType and others. */
export type Schema<Value = unknown> = StandardSchemaV1<unknown, Value>;

/** One schema for each member of a tuple. */
type Schemas<Values extends readonly unknown[]> = {
  readonly [Index in keyof Values]: Schema<Values[Index]>;
};

/** What a hub class says of one of its methods, in its static `methods`. All of it is optional. */
export interface HubMethodOptions<
  Arguments extends readonly unknown[] = readonly unknown[],
  Items extends readonly unknown[] = readonly unknown[],
> {
  /** What clients call it, instead of its own name. */
  readonly name?: string;
  /** Further names for it. */
  readonly aliases?: readonly string[];
  /**
   * The ordinary arguments, one schema each. What a schema makes of an argument is what the method
   * gets. Calls that do not fit are refused, those with more arguments too; fewer are undefined.
   */
  readonly parameters?: Schemas<Arguments>;
  /** The items of each stream that a call uploads. Their number is checked, as with `parameters`. */
  readonly uploads?: Schemas<Items>;
  /**
   * Whether this call may be made; anything but true refuses it. `args` are as `parameters` left
   * them, uploads aside.
   */
  authorize?(context: HubContext, args: Arguments): boolean | Promise<boolean>;
}

/**
 * The static `methods` of a hub class, held against its methods:
 * `static readonly methods = { … } as const satisfies HubMethods<Chat>`.
 */
export type HubMethods<HubType> = {
  readonly [Name in CallableNames<HubType>]?: HubType[Name] extends (...args: infer Args) => unknown
    ? HubMethodOptions<OrdinaryArguments<Args>, UploadedItems<Args>>
    : never;
};
