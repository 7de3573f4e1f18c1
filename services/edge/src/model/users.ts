import type { Interest } from './interest.ts';
import type { Member } from './member.ts';

/** User id to connections. Most users have one connection: a set comes with the second. */
export class Users<M extends Member<M>> {
  readonly #users = new Map<string, M | Set<M>>();
  readonly #interest: Interest;

  constructor(interest: Interest) {
    this.#interest = interest;
  }

  add(member: M): void {
    if (member.userId === undefined) return;
    const known = this.#users.get(member.userId);
    if (known === undefined) {
      this.#users.set(member.userId, member);
      this.#interest.wanted('user', member.userId);
    } else if (known instanceof Set) known.add(member);
    else this.#users.set(member.userId, new Set([known, member]));
  }

  remove(member: M): void {
    if (member.userId === undefined) return;
    const known = this.#users.get(member.userId);
    if (known instanceof Set) {
      known.delete(member);
      if (known.size === 0) this.#forget(member.userId);
    } else if (known === member) {
      this.#forget(member.userId);
    }
  }

  #forget(userId: string): void {
    this.#users.delete(userId);
    this.#interest.unwanted('user', userId);
  }

  members(userId: string): Iterable<M> {
    const known = this.#users.get(userId);
    if (known === undefined) return [];
    return known instanceof Set ? known : [known];
  }

  has(userId: string): boolean {
    return this.#users.has(userId);
  }
}
