import type { StandardSchemaV1 } from '@standard-schema/spec';

import type { HubContext } from '../clients/context.ts';
import type { CallableNames, IsStream, OrdinaryArguments, UploadedItems } from './hub-contract.ts';

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
   * gets. Calls that do not fit are refused, those with more arguments too; fewer are undefined. Or
   * how many arguments a call may bring at the most, whatever they are. Default: any number.
   */
  readonly parameters?: Schemas<Arguments> | number;
  /**
   * The streams that a call uploads, behind its arguments: one schema each for their items, or how
   * many streams there are, whatever is in them. A call with another number of them does not run.
   * Default: none.
   */
  readonly uploads?: Schemas<Items> | Items['length'];
  /**
   * Whether it answers with a stream, so that clients have to ask for one. Default: whether it is a
   * generator function.
   */
  readonly streams?: boolean;
  /**
   * Whether this call may be made; anything but true refuses it. `args` are as `parameters` left
   * them, uploads aside.
   */
  authorize?(context: HubContext, args: Arguments): boolean | Promise<boolean>;
}

/** What has to be said of a method, because it does not exist at run time. */
type Needed<Args extends readonly unknown[], Result> = (UploadedItems<Args> extends readonly []
  ? unknown
  : { readonly uploads: unknown }) &
  (Awaited<Result> extends Generator | AsyncGenerator
    ? unknown
    : IsStream<Result> extends true
      ? { readonly streams: true }
      : unknown);

/**
 * The static `methods` of a hub class, held against its methods:
 * `static readonly methods = { … } as const satisfies HubMethods<Chat>`.
 */
export type HubMethods<HubType> = {
  readonly [Name in CallableNames<HubType>]?: HubType[Name] extends (
    ...args: infer Args
  ) => infer Result
    ? HubMethodOptions<OrdinaryArguments<Args>, UploadedItems<Args>> & Needed<Args, Result>
    : never;
};
