import { AckStatus } from '@trunkline/protocol';

import type { Ask, Conn, Journal } from './journal.ts';
import type { World } from './world.ts';

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
    } else if (what.kind === 'leave' && 'conn' in what) {
      this.#undo(keyOf(what));
      this.#conns.get(what.conn)?.delete(what.group);
      setOf(this.#left, what.conn).add(what.group);
    } else if (what.kind === 'leaveUser' && 'user' in what) {
      this.#undo(keyOf(what));
      this.#users.get(what.user)?.delete(what.group);
      // It takes each connection of the user out of the group, however that came in.
      for (const conn of this.#journal.conns) {
        if (conn.user !== what.user) continue;
        this.#undo(keyOf({ kind: 'leave', conn, group: what.group }));
        this.#conns.get(conn)?.delete(what.group);
      }
    }
  }

  acked(ask: Ask, status: number): void {
    const { what } = ask;
    if (status !== AckStatus.Ok || (what.kind !== 'join' && what.kind !== 'joinUser')) return;
    if (this.#undoneBefore.get(ask) !== (this.#undone.get(keyOf(what)) ?? 0)) return;
    if ('conn' in what) {
      if (what.conn.endedAt === undefined) setOf(this.#conns, what.conn).add(what.group);
    } else {
      setOf(this.#users, what.user).add(what.group);
    }
  }

  ended(conn: Conn): void {
    this.#conns.delete(conn);
    this.#left.delete(conn);
  }

  /** An edge has ended that may have been the only one to know of some rules. */
  edgeEnded(): void {
    this.#users.clear();
  }

  /** `user group` of all joins of users. */
  joinedUsers(): string[] {
    return [...this.#users].flatMap(([user, groups]) => [...groups].map((group) => `${user} ${group}`));
  }

  #undo(key: string): void {
    this.#undone.set(key, (this.#undone.get(key) ?? 0) + 1);
  }
}

function keyOf(
  what:
    | { kind: 'join' | 'leave'; conn: Conn; group: string }
    | { kind: 'joinUser' | 'leaveUser'; user: string; group: string },
): string {
  return 'conn' in what ? `${what.conn.id} ${what.group}` : `${what.user} in ${what.group}`;
}

function setOf<K, V>(map: Map<K, Set<V>>, key: K): Set<V> {
  const found = map.get(key) ?? new Set();
  map.set(key, found);
  return found;
}
