/**
 * Groups that later connections of a user join on arrival, each until its time is over (service
 * protocol reference, section 9). Times are milliseconds on the clock of the caller.
 */

/** How long a rule without a time to live is kept: the REST reference says up to a year. */
const LONGEST_MS = 365 * 24 * 60 * 60 * 1000;
/** Rules that a user keeps, without a time to live and with one; the oldest gives way to the newest. */
const OPEN_ENDED_PER_USER = 100;
const TIMED_PER_USER = 1000;

/** What one hub may keep beside others, so that users who never come do not fill the memory. */
export interface Room {
  /** Room for one more rule; false when there is none. */
  take(): boolean;
  /** Gives back the room of so many rules. */
  give(rules: number): void;
}

/** One rule, as another edge can take it over. */
export interface Rule {
  readonly userId: string;
  readonly group: string;
  /** How long it holds; undefined for one without a time to live. */
  readonly ttlSeconds: number | undefined;
}

/** The rules of some users, and where the next ones begin; undefined after the last. */
export interface RulesPage {
  readonly rules: readonly Rule[];
  readonly next: number | undefined;
}

/** How exactly one edge knows when a rule of another ends. */
const SLACK_MS = 1_000;

/** A page is full with so many rules, and ends with those of a user. */
const PAGE_RULES = 1_000;

/** A user's rules: when each ends, by the name of its group, the oldest first. */
interface Rules {
  /** Grows from user to user in the order of the map, so that a listing can go on behind one. */
  readonly place: number;
  readonly openEnded: Map<string, number>;
  readonly timed: Map<string, number>;
}

export class UserGroupRules {
  readonly #users = new Map<string, Rules>();
  #lastPlace = 0;
  readonly #room: Room;

  constructor(room: Room) {
    this.#room = room;
  }

  /** Whether no rule holds; those whose time is over go away, up to the first that holds. */
  isEmpty(now: number): boolean {
    for (const userId of this.#users.keys()) {
      const [group] = this.groups(userId, now);
      if (group !== undefined) return false;
    }
    return this.#users.size === 0;
  }

  set(userId: string, group: string, ttlSeconds: number | undefined, now: number): void {
    this.delete(userId, group);
    if (ttlSeconds !== undefined && ttlSeconds <= 0) return;
    if (!this.#makeRoom()) return;
    const rules = this.#users.get(userId) ?? this.#newUser(userId);
    if (ttlSeconds === undefined) {
      this.#add(rules.openEnded, OPEN_ENDED_PER_USER, group, now + LONGEST_MS);
    } else {
      this.#add(rules.timed, TIMED_PER_USER, group, now + ttlSeconds * 1000);
    }
  }

  /** Whether a rule is known that holds at least as long. */
  covers({ userId, group, ttlSeconds }: Rule, now: number): boolean {
    const known = this.#users.get(userId);
    if (known === undefined) return false;
    if (known.openEnded.has(group)) return true;
    const expiresAt = known.timed.get(group) ?? -Infinity;
    return ttlSeconds !== undefined && expiresAt >= now + ttlSeconds * 1000 - SLACK_MS;
  }

  /** Whether a rule puts connections of this user into the group. */
  has(userId: string, group: string, now: number): boolean {
    const known = this.#users.get(userId);
    return (known?.openEnded.get(group) ?? known?.timed.get(group) ?? -Infinity) > now;
  }

  /** `group` undefined: every rule of the user. */
  delete(userId: string, group: string | undefined): void {
    const rules = this.#users.get(userId);
    if (rules === undefined) return;
    const { openEnded, timed } = rules;
    if (group === undefined) {
      this.#room.give(openEnded.size + timed.size);
      this.#users.delete(userId);
    } else if (openEnded.delete(group) || timed.delete(group)) {
      this.#room.give(1);
      if (openEnded.size + timed.size === 0) this.#users.delete(userId);
    }
  }

  /** Forgets the rules of the user that has had some for the longest; false when there are none. */
  forgetOldest(): boolean {
    const [oldest] = this.#users.keys();
    if (oldest === undefined) return false;
    this.delete(oldest, undefined);
    return true;
  }

  /** The groups a connection of this user joins now; rules whose time is over go away. */
  *groups(userId: string, now: number): Iterable<string> {
    const rules = this.#users.get(userId);
    if (rules === undefined) return;
    for (const kept of [rules.openEnded, rules.timed]) {
      for (const [group, expiresAt] of kept) {
        if (expiresAt > now) yield group;
        else this.delete(userId, group);
      }
    }
  }

  /**
   * Rules of whole users, those first that have had some for the longest. `after`: what the page before
   * had as its `next`, 0 for the first. Who keeps rules all the while is listed once; others may be, or
   * not.
   */
  page(after: number, now: number): RulesPage {
    const rules: Rule[] = [];
    let last = after;
    for (const [userId, { place, openEnded, timed }] of this.#users) {
      if (place <= after) continue;
      if (rules.length >= PAGE_RULES) return { rules, next: last };
      last = place;
      for (const group of openEnded.keys()) rules.push({ userId, group, ttlSeconds: undefined });
      for (const [group, expiresAt] of timed) {
        const ttlSeconds = (expiresAt - now) / 1000;
        if (ttlSeconds > 0) rules.push({ userId, group, ttlSeconds });
      }
    }
    return { rules, next: undefined };
  }

  #newUser(userId: string): Rules {
    const rules = { place: ++this.#lastPlace, openEnded: new Map(), timed: new Map() };
    this.#users.set(userId, rules);
    return rules;
  }

  #makeRoom(): boolean {
    return this.#room.take() || (this.forgetOldest() && this.#room.take());
  }

  #add(rules: Map<string, number>, most: number, group: string, expiresAt: number): void {
    if (rules.size >= most) {
      const [oldest] = rules.keys();
      rules.delete(oldest!);
      this.#room.give(1);
    }
    rules.set(group, expiresAt);
  }
}
