import type { Changes } from './changes.ts';
import type { Interest } from './interest.ts';
import type { Member } from './member.ts';
import type { Roster } from './scope.ts';

export interface Group<M> {
  readonly name: string;
  readonly members: Set<M>;
  /** The number of the last change of its members. */
  changed: number;
}

/** The groups of a hub: made by their first member, gone with their last. */
export class Groups<M extends Member<M>> {
  readonly #groups = new Map<string, Group<M>>();
  readonly #interest: Interest;
  readonly #changes: Changes;

  constructor(interest: Interest, changes: Changes) {
    this.#interest = interest;
    this.#changes = changes;
  }

  join(member: M, name: string): void {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { name, members: new Set(), changed: 0 };
      this.#groups.set(name, group);
      this.#interest.wanted('group', name);
    }
    if (group.members.has(member)) return;
    group.members.add(member);
    group.changed = this.#changes.next();
    const { groups } = member;
    if (groups === undefined) member.groups = group;
    else if (groups instanceof Set) groups.add(group);
    else member.groups = new Set([groups, group]);
  }

  leave(member: M, name: string): void {
    const group = this.#groups.get(name);
    if (group === undefined || !group.members.has(member)) return;
    this.#remove(group, member);
    if (member.groups instanceof Set) member.groups.delete(group);
    else member.groups = undefined;
  }

  leaveAll(member: M): void {
    const { groups } = member;
    member.groups = undefined;
    if (groups instanceof Set) for (const group of groups) this.#remove(group, member);
    else if (groups !== undefined) this.#remove(groups, member);
  }

  members(name: string): ReadonlySet<M> | undefined {
    return this.#groups.get(name)?.members;
  }

  roster(name: string): Roster<M> | undefined {
    const group = this.#groups.get(name);
    if (group === undefined) return undefined;
    const { members, changed } = group;
    return { members, size: members.size, has: (one) => members.has(one), version: `${changed}` };
  }

  #remove(group: Group<M>, member: M): void {
    group.members.delete(member);
    group.changed = this.#changes.next();
    if (group.members.size > 0) return;
    this.#groups.delete(group.name);
    this.#interest.unwanted('group', group.name);
  }
}
