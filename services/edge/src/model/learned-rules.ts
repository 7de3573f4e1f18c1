import type { Rule } from './rule.ts';

/**
 * What has been said of rules since this edge began to learn them from another: that is newer than what
 * the other edge tells.
 */
export class NewerRules {
  readonly #users = new Map<string, Set<string> | 'all'>();

  /** `group` undefined: every rule of the user. */
  note(userId: string, group: string | undefined): void {
    const known = this.#users.get(userId);
    if (group === undefined) this.#users.set(userId, 'all');
    else if (known === undefined) this.#users.set(userId, new Set([group]));
    else if (known !== 'all') known.add(group);
  }

  has({ userId, group }: Pick<Rule, 'userId' | 'group'>): boolean {
    const known = this.#users.get(userId);
    return known === 'all' || known?.has(group) === true;
  }
}
