import type { Hub } from './hub.ts';

// What the types of a hub class say of the calls that it takes. Nothing here exists at run time.

/** Names of an object type's methods that clients can call: see `Hub`. */
export type CallableNames<HubType> = {
  [Name in keyof HubType]: Name extends keyof Hub | `_${string}` | symbol | number
    ? never
    : HubType[Name] extends (...args: never) => unknown
      ? Name
      : never;
}[keyof HubType];

/** The arguments of a method before the streams that a call uploads. */
export type OrdinaryArguments<Args extends readonly unknown[]> = Args extends readonly [
  ...infer Before,
  AsyncIterable<unknown>,
]
  ? OrdinaryArguments<Before>
  : Args;

/** The items of each of the streams behind them. */
export type UploadedItems<
  Args extends readonly unknown[],
  Behind extends readonly unknown[] = [],
> = Args extends readonly [...infer Before, AsyncIterable<infer Item>]
  ? UploadedItems<Before, [Item, ...Behind]>
  : Behind;

/** The items of what a method answers; never where that is no stream. */
export type StreamItem<Result> = [Awaited<Result>] extends [never]
  ? never
  : Awaited<Result> extends AsyncIterable<infer Item>
    ? Item
    : Awaited<Result> extends Generator<infer Item>
      ? Item
      : never;

/** False for `any`, of which nothing is known. `never` stands in a tuple, or it would be any answer. */
export type IsStream<Result> = 0 extends 1 & Awaited<Result>
  ? false
  : [StreamItem<Result>] extends [never]
    ? false
    : true;
