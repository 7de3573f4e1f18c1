import type { NameKind } from './interest.ts';

/** Whose connections are listed or counted: all of a hub, those in a group, or those of a user. */
export type Scope = { readonly kind: 'hub' } | { readonly kind: NameKind; readonly name: string };

/** The connections of a scope at this edge, as they are until the hub's next change. */
export interface Roster<M> {
  readonly members: Iterable<M>;
  readonly size: number;
  readonly has: (member: M) => boolean;
  /** Another one after each change of who is in it; undefined while nobody is. */
  readonly version: string | undefined;
}

export const EMPTY_ROSTER = {
  members: [],
  size: 0,
  has: () => false,
  version: undefined,
} as const satisfies Roster<never>;
