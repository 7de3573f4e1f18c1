/**
 * Groups that later connections of a user join on arrival, each until its time is over (service
 * protocol reference, section 9). Times are milliseconds on the clock of the caller.
 */

import { OldestKey } from '@trunkline/protocol';
import type { Rule, RulesPage } from './rule.ts';
import { Page } from './rule.ts';

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

/** How exactly one edge knows when a rule of another ends. */
const SLACK_MS = 1_000;

/** A page is full with so many rules, however short their names are. */
const PAGE_RULES = 1_000;

/** A rule is listed at the place of its user, times this, and its number among the rules of that user. */
const NUMBERS = 2 ** 16;

/** Of so many rules it is seen whether their time is over when room is to be made. */
const SWEPT_FOR_ROOM = 10;

/** When a rule was set, and when it ends. */
interface Kept {
  readonly expiresAt: number;
  setAt: number;
  /** Grows in the order in which the user's rules were set. */
  number: number;
}

const NEVER: Kept = { setAt: -Infinity, expiresAt: -Infinity, number: 0 };

/** A user's rules, by the name of their group, the oldest first. */
interface Rules {
  /** Grows from user to user in the order of the map, so that a listing can go on behind one. */
  place: number;
  /** The number of the latest. */
  lastNumber: number;
  readonly openEnded: LatestRules;
  readonly timed: LatestRules;
}

/** Rules of one kind, by the name of their group, the oldest first. */
class LatestRules extends Map<string, Kept> {
  readonly #most: number;
  /** There once a rule has given way: few users have so many. */
  #oldest: OldestKey<string> | undefined;

  constructor(most: number) {
    super();
    this.#most = most;
  }

  /** Adds a rule behind all others. Whether the oldest has given way to it. */
  add(group: string, rule: Kept): boolean {
    const isFull = this.size >= this.#most;
    if (isFull) {
      this.#oldest ??= new OldestKey(this);
      this.delete(this.#oldest.next()!);
    }
    this.set(group, rule);
    return isFull;
  }
}

export class UserGroupRules {
  readonly #users = new Map<string, Rules>();
  readonly #oldestUser = new OldestKey(this.#users);
  #lastPlace = 0;
  /** Goes through the users, to sweep them. */
  #sweep: Iterator<string, undefined> = this.#users.keys();
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

  set(
    userId: string,
    group: string,
    ttlSeconds: number | undefined,
    now: number,
    setAt = now,
  ): void {
    this.delete(userId, group);
    if (ttlSeconds !== undefined && ttlSeconds <= 0) return;
    if (!this.#makeRoom(now)) return;
    const rules = this.#users.get(userId) ?? this.#newUser(userId);
    if (rules.lastNumber === NUMBERS - 1) this.#renumber(userId, rules);
    const number = ++rules.lastNumber;
    const expiresAt = now + (ttlSeconds === undefined ? LONGEST_MS : ttlSeconds * 1000);
    const kind = ttlSeconds === undefined ? rules.openEnded : rules.timed;
    if (kind.add(group, { setAt, expiresAt, number })) this.#room.give(1);
  }

  /** Whether a rule is known that holds at least as long. */
  covers({ userId, group, ttlSeconds }: Omit<Rule, 'ageSeconds'>, now: number): boolean {
    const known = this.#users.get(userId);
    if (known === undefined) return false;
    if (known.openEnded.has(group)) return true;
    const { expiresAt } = known.timed.get(group) ?? NEVER;
    return ttlSeconds !== undefined && expiresAt >= now + ttlSeconds * 1000 - SLACK_MS;
  }

  /** Whether a rule puts connections of this user into the group. */
  has(userId: string, group: string, now: number): boolean {
    return (this.#find(userId, group) ?? NEVER).expiresAt > now;
  }

  /** A rule that is known here has been set elsewhere, and perhaps later. */
  confirm({ userId, group, ageSeconds }: Rule, now: number): void {
    const known = this.#find(userId, group);
    if (known !== undefined) known.setAt = Math.max(known.setAt, now - ageSeconds * 1000);
  }

  /** Whether a rule that is known here has been set again elsewhere since, and may have another end. */
  isNewer({ userId, group, ageSeconds }: Rule, now: number): boolean {
    const known = this.#find(userId, group) ?? NEVER;
    return now - ageSeconds * 1000 > known.setAt + SLACK_MS;
  }

  /** The groups whose rules were set before that: of one group, or of all. */
  setBefore(userId: string, group: string | undefined, at: number): string[] {
    const rules = this.#users.get(userId);
    if (rules === undefined) return [];
    return [...rules.openEnded, ...rules.timed]
      .filter(([name, { setAt }]) => (group === undefined || name === group) && setAt < at)
      .map(([name]) => name);
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

  /** Rules of users who do not come go away, too, when their time is over; looks at about so many. */
  expire(now: number, rules: number): void {
    this.#forgetOver(now, rules);
  }

  /** Forgets the rules of the user that has had some for the longest; false when there are none. */
  forgetOldest(): boolean {
    const oldest = this.#oldestUser.next();
    if (oldest === undefined) return false;
    this.delete(oldest, undefined);
    return true;
  }

  /** The groups a connection of this user joins now; rules whose time is over go away. */
  *groups(userId: string, now: number): Iterable<string> {
    const rules = this.#users.get(userId);
    if (rules === undefined) return;
    for (const kept of [rules.openEnded, rules.timed]) {
      for (const [group, { expiresAt }] of kept) {
        if (expiresAt > now) yield group;
        else this.delete(userId, group);
      }
    }
  }

  /**
   * Rules of those users first that have had some for the longest. `after`: what the page before had as its
   * `next`, 0 for the first. A rule that is kept all the while is listed, and twice only when its user has
   * been given another place; others may be listed, or not.
   */
  page(after: number, now: number): RulesPage {
    const page = new Page<Rule>();
    let last = after;
    for (const [userId, rules] of this.#users) {
      const start = rules.place * NUMBERS;
      if (start + rules.lastNumber <= after) continue;
      for (const [group, { setAt, expiresAt, number }] of inOrder(rules)) {
        const isOpenEnded = rules.openEnded.has(group);
        if (start + number <= after || (!isOpenEnded && expiresAt <= now)) continue;
        const ttlSeconds = isOpenEnded ? undefined : (expiresAt - now) / 1000;
        const rule = { userId, group, ttlSeconds, ageSeconds: (now - setAt) / 1000 };
        const isFull = page.items.length >= PAGE_RULES || !page.take(rule);
        if (isFull) return { rules: page.items, next: last };
        last = start + number;
      }
    }
    return { rules: page.items, next: undefined };
  }

  #find(userId: string, group: string): Kept | undefined {
    const known = this.#users.get(userId);
    return known?.openEnded.get(group) ?? known?.timed.get(group);
  }

  #newUser(userId: string): Rules {
    const place = ++this.#lastPlace;
    const rules = {
      place,
      lastNumber: 0,
      openEnded: new LatestRules(OPEN_ENDED_PER_USER),
      timed: new LatestRules(TIMED_PER_USER),
    };
    this.#users.set(userId, rules);
    return rules;
  }

  /** Begins anew with numbers behind all other users, so that a listing under way misses no rule. */
  #renumber(userId: string, rules: Rules): void {
    this.#users.delete(userId);
    this.#users.set(userId, rules);
    rules.place = ++this.#lastPlace;
    rules.lastNumber = 0;
    for (const [, kept] of inOrder(rules)) kept.number = ++rules.lastNumber;
  }

  /** Of those that are looked at, rules whose time is over give way before any that holds. */
  #makeRoom(now: number): boolean {
    if (this.#room.take()) return true;
    const hasForgotten = this.#forgetOver(now, SWEPT_FOR_ROOM) || this.forgetOldest();
    return hasForgotten && this.#room.take();
  }

  /**
   * Looks at the rules of some users, about so many rules, and the next time at those of the users behind
   * them. False when none of them was over.
   */
  #forgetOver(now: number, most: number): boolean {
    let hasForgotten = false;
    let looked = 0;
    for (let users = this.#users.size; users > 0 && looked < most; users--) {
      const userId = this.#nextToSweep();
      const { openEnded, timed } = this.#users.get(userId)!;
      const kept = openEnded.size + timed.size;
      looked += kept;
      hasForgotten = [...this.groups(userId, now)].length < kept || hasForgotten;
    }
    return hasForgotten;
  }

  /** While there is any user. */
  #nextToSweep(): string {
    const { value } = this.#sweep.next();
    if (value !== undefined) return value;
    this.#sweep = this.#users.keys();
    return this.#sweep.next().value!;
  }
}

/** A user's rules in the order in which they were set. */
function inOrder({ openEnded, timed }: Rules): [group: string, kept: Kept][] {
  return [...openEnded, ...timed].sort(([, one], [, other]) => one.number - other.number);
}
