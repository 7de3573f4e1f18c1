import { AckStatus } from '@trunkline/protocol';

import type { Ask, Conn, Journal } from './journal.ts';
import type { World } from './world.ts';

type Change =
  | { readonly kind: 'join' | 'leave'; readonly conn: Conn; readonly group: string }
  | { readonly kind: 'joinUser' | 'leaveUser'; readonly user: string; readonly group: string };

/** How long what is said may be underway, at most: the queue of an edge that is cut off, and some. */
const UNDERWAY_MS = 10_000;

/**
 * Who is in which group for certain: by a join that was acked, and that nobody has asked to be undone
 * since it was asked for.
 */
export class Memberships {
  readonly #journal: Journal;
  readonly #world: World;
  readonly #conns = new Map<Conn, Set<string>>();
  /** Groups that a connection has been asked to leave, whatever its user is in. */
  readonly #left = new Map<Conn, Set<string>>();
  /** By user. */
  readonly #users = new Map<string, Set<string>>();
  /** How often a join has been asked to be undone, by whom it concerns. */
  readonly #undone = new Map<string, number>();
  /** How many such questions may be on their way. */
  readonly #leaving = new Map<string, number>();
  readonly #undoneBefore = new WeakMap<Ask, number>();

  constructor(journal: Journal, world: World) {
    this.#journal = journal;
    this.#world = world;
  }

  /** Whether a send to the group has to come to the client. */
  isIn(conn: Conn, group: string): boolean {
    if (this.#conns.get(conn)?.has(group) === true) return true;
    if (this.#left.get(conn)?.has(group) === true) return false;
    if (this.#users.get(conn.user)?.has(group) !== true) return false;
    // Where something was lost, edges learn of the rules of users again, from each other.
    return this.#journal.wasCalm(this.#journal.now, ...this.#world.live);
  }

  asked(ask: Ask): void {
    const { what } = ask;
    if (what.kind === 'join' || what.kind === 'joinUser') {
      this.#undoneBefore.set(ask, this.#undone.get(keyOf(what)) ?? 0);
    } else if (what.kind === 'leave' || what.kind === 'leaveUser') {
      // It may be on its way for long, and come after joins that are asked for meanwhile.
      const key = keyOf(what);
      this.#leave(what);
      this.#leaving.set(key, (this.#leaving.get(key) ?? 0) + 1);
      this.#world.later(UNDERWAY_MS, () => {
        this.#leave(what);
        this.#leaving.set(key, this.#leaving.get(key)! - 1);
      });
    }
  }

  acked(ask: Ask, status: number): void {
    const { what } = ask;
    if (status !== AckStatus.Ok || (what.kind !== 'join' && what.kind !== 'joinUser')) return;
    if (this.#undoneBefore.get(ask) !== (this.#undone.get(keyOf(what)) ?? 0)) return;
    if (this.#isLeaving(what) || this.#isForgotten(ask)) return;
    if ('user' in what) setOf(this.#users, what.user).add(what.group);
    else if (what.conn.endedAt === undefined) setOf(this.#conns, what.conn).add(what.group);
  }

  /** The edge that was asked to keep a rule has gone since, and may have reached no other one. */
  #isForgotten({ what, at, line }: Ask): boolean {
    if (!('user' in what) || line.edge.isServing) return false;
    return !this.#journal.wasCalm(at, ...this.#world.edges.values());
  }

  #isLeaving(what: Change): boolean {
    const keys = [keyOf(what)];
    const { group } = what;
    if ('conn' in what) keys.push(keyOf({ kind: 'leaveUser', user: what.conn.user, group }));
    return keys.some((key) => (this.#leaving.get(key) ?? 0) > 0);
  }

  #leave(what: Change): void {
    this.#undo(keyOf(what));
    if ('conn' in what) {
      this.#conns.get(what.conn)?.delete(what.group);
      setOf(this.#left, what.conn).add(what.group);
      return;
    }
    this.#users.get(what.user)?.delete(what.group);
    // It takes each connection of the user out of the group, however that came in.
    for (const conn of this.#journal.conns) {
      if (conn.user === what.user) this.#leave({ kind: 'leave', conn, group: what.group });
    }
  }

  ended(conn: Conn): void {
    this.#conns.delete(conn);
    this.#left.delete(conn);
  }

  /** The only edge that knew of some rules may have ended. */
  rulesLost(): void {
    this.#users.clear();
  }

  /** `user group` of all joins of users. */
  joinedUsers(): string[] {
    return [...this.#users].flatMap(([user, groups]) =>
      [...groups].map((group) => `${user} ${group}`),
    );
  }

  #undo(key: string): void {
    this.#undone.set(key, (this.#undone.get(key) ?? 0) + 1);
  }
}

function keyOf(what: Change): string {
  return 'conn' in what ? `${what.conn.id} ${what.group}` : `${what.user} in ${what.group}`;
}

function setOf<K, V>(map: Map<K, Set<V>>, key: K): Set<V> {
  const found = map.get(key) ?? new Set();
  map.set(key, found);
  return found;
}
