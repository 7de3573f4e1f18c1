import type { Changes } from './changes.ts';
import type { Interest } from './interest.ts';
import type { Member } from './member.ts';
import type { Roster } from './scope.ts';

/** The connections of a user who has had several at once. */
class Several<M> {
  readonly members = new Set<M>();
  /** The number of their last change. */
  changed = 0;
}

/** User id to connections. Most users have one connection: a set comes with the second. */
export class Users<M extends Member<M>> {
  readonly #users = new Map<string, M | Several<M>>();
  readonly #interest: Interest;
  readonly #changes: Changes;

  constructor(interest: Interest, changes: Changes) {
    this.#interest = interest;
    this.#changes = changes;
  }

  add(member: M): void {
    if (member.userId === undefined) return;
    const known = this.#users.get(member.userId);
    if (known === undefined) {
      this.#users.set(member.userId, member);
      this.#interest.wanted('user', member.userId);
    } else if (known instanceof Several) {
      this.#change(known).add(member);
    } else {
      const several = new Several<M>();
      this.#change(several).add(known).add(member);
      this.#users.set(member.userId, several);
    }
  }

  remove(member: M): void {
    if (member.userId === undefined) return;
    const known = this.#users.get(member.userId);
    if (known instanceof Several) {
      this.#change(known).delete(member);
      if (known.members.size === 0) this.#forget(member.userId);
    } else if (known === member) {
      this.#forget(member.userId);
    }
  }

  members(userId: string): Iterable<M> {
    const known = this.#users.get(userId);
    if (known === undefined) return [];
    return known instanceof Several ? known.members : [known];
  }

  has(userId: string): boolean {
    return this.#users.has(userId);
  }

  /** Of a user with one connection its id is the version, so that such users cost no number. */
  roster(userId: string): Roster<M> | undefined {
    const known = this.#users.get(userId);
    if (known === undefined) return undefined;
    if (!(known instanceof Several)) {
      return { members: [known], size: 1, has: (member) => member === known, version: known.id };
    }
    const { members, changed } = known;
    return { members, size: members.size, has: (one) => members.has(one), version: `${changed}` };
  }

  /** The set, of which the caller changes something. */
  #change(several: Several<M>): Set<M> {
    several.changed = this.#changes.next();
    return several.members;
  }

  #forget(userId: string): void {
    this.#users.delete(userId);
    this.#interest.unwanted('user', userId);
  }
}
