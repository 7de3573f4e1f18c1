import type { Group } from './groups.ts';

/** A client connection as its hub sees it; `place` and `groups` belong to the model alone. */
export interface Member<Self> {
  readonly id: string;
  readonly userId: string | undefined;
  /** Place in the hub's list of members, -1 outside of it. */
  place: number;
  /** Most clients are in no group or in one: a set comes with the second. */
  groups: Group<Self> | Set<Group<Self>> | undefined;
}
