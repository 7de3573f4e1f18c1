import type { Rule } from './user-group-rules.ts';

/** Rules that one page has at most. */
const PAGE_RULES = 1_000;

/** Some of a hub's rules, and where the next ones begin; undefined after the last. */
export interface RulesPage {
  readonly rules: readonly Rule[];
  readonly next: number | undefined;
}

/** The page of rules that begins behind so many. What changes between two pages may be in both, or in none. */
export function pageOf(rules: Iterable<Rule>, from: number): RulesPage {
  const page: Rule[] = [];
  let at = 0;
  for (const rule of rules) {
    if (at >= from + PAGE_RULES) return { rules: page, next: at };
    if (at++ >= from) page.push(rule);
  }
  return { rules: page, next: undefined };
}

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

  has({ userId, group }: Rule): boolean {
    const known = this.#users.get(userId);
    return known === 'all' || known?.has(group) === true;
  }
}
