import type { HubContext } from '../clients/context.ts';
import { unheeded } from '../unheeded.ts';
import type { Hub } from './hub.ts';

/** A connection's beginning or end, as a filter sees it. */
export interface HubLifetime {
  /** The hub object that handles it. */
  readonly hub: Hub;
  readonly context: HubContext;
}

/** One call, as a filter sees it. */
export interface HubInvocation extends HubLifetime {
  /** The hub's own name of the method. */
  readonly method: string;
  /** As the method will get them: checked already, uploads last. */
  readonly args: readonly unknown[];
}

/**
 * What runs around the calls and lifecycle hooks of hubs (client protocols reference, section 6.8).
 * Each member may skip `next`, and what it throws counts as thrown by what it wraps.
 */
export interface HubFilter {
  /**
   * Answers a call, as a rule with what `next` answers; `next(args)` goes on with other arguments.
   * A stream is answered before its first item, so a filter does not see how it ends.
   */
  invoke?(
    invocation: HubInvocation,
    next: (args?: readonly unknown[]) => Promise<unknown>,
  ): unknown;
  connected?(lifetime: HubLifetime, next: () => Promise<void>): void | Promise<void>;
  /** `error` as in `onDisconnected`. */
  disconnected?(
    lifetime: HubLifetime,
    error: Error | undefined,
    next: () => Promise<void>,
  ): void | Promise<void>;
}

/** Filters by what they wrap, outermost first. */
export interface FilterSet {
  readonly invoke: readonly NonNullable<HubFilter['invoke']>[];
  readonly connected: readonly NonNullable<HubFilter['connected']>[];
  readonly disconnected: readonly NonNullable<HubFilter['disconnected']>[];
}

export function filterSet(filters: readonly HubFilter[]): FilterSet {
  return {
    invoke: filters.flatMap((filter) => filter.invoke?.bind(filter) ?? []),
    connected: filters.flatMap((filter) => filter.connected?.bind(filter) ?? []),
    disconnected: filters.flatMap((filter) => filter.disconnected?.bind(filter) ?? []),
  };
}

/** Answers a call with `run` in the middle of the filters. */
export function invokeThrough(
  filters: FilterSet['invoke'],
  invocation: HubInvocation,
  run: (args: readonly unknown[]) => unknown,
): Promise<unknown> {
  const from = async (index: number, args: readonly unknown[]): Promise<unknown> => {
    const filter = filters[index];
    if (filter === undefined) return run(args);
    return filter({ ...invocation, args }, (others = args) => unheeded(from(index + 1, others)));
  };
  return from(0, invocation.args);
}

/** Runs a lifecycle hook in the middle of the filters; `call` gives each of them its arguments. */
export function wrapped<Filter>(
  filters: readonly Filter[],
  call: (filter: Filter, next: () => Promise<void>) => void | Promise<void>,
  run: () => void | Promise<void>,
): Promise<void> {
  const from = async (index: number): Promise<void> => {
    const filter = filters[index];
    await (filter === undefined ? run() : call(filter, () => unheeded(from(index + 1))));
  };
  return from(0);
}
