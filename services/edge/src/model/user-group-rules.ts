/**
 * Groups that later connections of a user join on arrival, each until its time is over (service
 * protocol reference, section 9). Times are milliseconds on the clock of the caller.
 */

/** How long a rule without a time to live is kept: the REST reference says up to a year. */
const LONGEST_MS = 365 * 24 * 60 * 60 * 1000;
/** Rules without a time to live that a user keeps; the oldest gives way to the newest. */
const OPEN_ENDED_PER_USER = 100;
/**
 * Rules of one hub, so that users who never come do not fill the memory: the user that has had
 * rules for the longest gives way.
 */
const MAX_RULES = 1_000_000;

interface Rule {
  readonly expiresAt: number;
  readonly openEnded: boolean;
}

export class UserGroupRules {
  readonly #users = new Map<string, Map<string, Rule>>();
  #size = 0;

  set(userId: string, group: string, ttlSeconds: number | undefined, now: number): void {
    this.delete(userId, group);
    if (ttlSeconds !== undefined && ttlSeconds <= 0) return;
    if (this.#size >= MAX_RULES) this.delete(this.#users.keys().next().value!, undefined);
    const rules = this.#users.get(userId) ?? new Map<string, Rule>();
    this.#users.set(userId, rules);
    const openEnded = ttlSeconds === undefined;
    if (openEnded) this.#makeRoom(rules);
    rules.set(group, { expiresAt: now + (openEnded ? LONGEST_MS : ttlSeconds * 1000), openEnded });
    this.#size++;
  }

  /** `group` undefined: every rule of the user. */
  delete(userId: string, group: string | undefined): void {
    const rules = this.#users.get(userId);
    if (rules === undefined) return;
    const names = group === undefined ? [...rules.keys()] : [group];
    for (const name of names) if (rules.delete(name)) this.#size--;
    if (rules.size === 0) this.#users.delete(userId);
  }

  /** The groups a connection of this user joins now; rules whose time is over go away. */
  groups(userId: string, now: number): string[] {
    const rules = this.#users.get(userId);
    if (rules === undefined) return [];
    for (const [group, rule] of rules) if (rule.expiresAt <= now) this.delete(userId, group);
    return [...rules.keys()];
  }

  #makeRoom(rules: Map<string, Rule>): void {
    const openEnded = [...rules].filter(([, rule]) => rule.openEnded);
    if (openEnded.length < OPEN_ENDED_PER_USER) return;
    rules.delete(openEnded[0]![0]);
    this.#size--;
  }
}
