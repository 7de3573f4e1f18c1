import type { Interest } from './interest.ts';
import type { Member } from './member.ts';

export interface Group<M> {
  readonly name: string;
  readonly members: Set<M>;
}

/** The groups of a hub: made by their first member, gone with their last. */
export class Groups<M extends Member<M>> {
  readonly #groups = new Map<string, Group<M>>();
  readonly #interest: Interest;

  constructor(interest: Interest) {
    this.#interest = interest;
  }

  join(member: M, name: string): void {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { name, members: new Set() };
      this.#groups.set(name, group);
      this.#interest.wanted('group', name);
    }
    if (group.members.has(member)) return;
    group.members.add(member);
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

  #remove(group: Group<M>, member: M): void {
    group.members.delete(member);
    if (group.members.size > 0) return;
    this.#groups.delete(group.name);
    this.#interest.unwanted('group', group.name);
  }
}
