import type { MessageFromServer } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';

import type { Destination } from '../sending/destination.ts';

/** A client, as the service knows it. */
export interface Member {
  readonly id: string;
  readonly userId: string | undefined;
  /** Takes bytes of the hub protocol that it speaks. */
  take(bytes: Uint8Array): void;
  /** The service closes it; `error` is what it is told, where the hub has not told it already. */
  close(error: string | undefined): void;
}

type Closing = Extract<MessageFromServer, { readonly reason: string | undefined }>;

const NOBODY: ReadonlySet<Member> = new Set();

/** Who is connected, in which group, and in which groups a user's later connections will be. */
export class MemoryHub {
  readonly #members = new Map<string, Member>();
  readonly #groups = new Map<string, Set<Member>>();
  /** Of users: when each of their groups ends, on the clock of `performance.now()`. */
  readonly #userGroups = new Map<string, Map<string, number>>();

  get(id: string): Member | undefined {
    return this.#members.get(id);
  }

  add(member: Member): void {
    this.#members.set(member.id, member);
    const kept = this.#userGroups.get(member.userId ?? '') ?? [];
    for (const [group, end] of kept) if (end > performance.now()) this.join(member, group);
  }

  all(): Member[] {
    return [...this.#members.values()];
  }

  /** Answers whether it was there. */
  remove(member: Member): boolean {
    this.leave(member);
    return this.#members.delete(member.id);
  }

  join(member: Member, group: string): void {
    const members = this.#groups.get(group) ?? new Set();
    this.#groups.set(group, members.add(member));
  }

  /** Out of one group, or of all. */
  leave(member: Member, group?: string): void {
    for (const [name, members] of this.#groups) {
      if (group === undefined || name === group) members.delete(member);
    }
  }

  /** For connections of now, and for so many seconds those of later; without a number for good. */
  joinUser(userId: string, group: string, seconds = Infinity): void {
    for (const member of this.ofUsers([userId])) this.join(member, group);
    const groups = this.#userGroups.get(userId) ?? new Map<string, number>();
    this.#userGroups.set(userId, groups.set(group, performance.now() + seconds * 1000));
  }

  leaveUser(userId: string, group?: string): void {
    for (const member of this.ofUsers([userId])) this.leave(member, group);
    if (group === undefined) this.#userGroups.delete(userId);
    else this.#userGroups.get(userId)?.delete(group);
  }

  inGroup(group: string): ReadonlySet<Member> {
    return this.#groups.get(group) ?? NOBODY;
  }

  ofUsers(userIds: readonly string[]): Member[] {
    return [...this.#members.values()].filter(
      ({ userId }) => userId !== undefined && userIds.includes(userId),
    );
  }

  /** Whom a send or a close is for; a connection in several of the groups once. */
  reached(to: Destination | Closing): Member[] {
    const except = 'excludedConnectionIds' in to ? to.excludedConnectionIds : [];
    return [...new Set(this.#targeted(to))].filter(({ id }) => !except.includes(id));
  }

  #targeted(to: Destination | Closing): Iterable<Member> {
    switch (to.type) {
      case MessageType.CloseConnectionWithAck:
        return this.#named([to.connectionId]);
      case MessageType.MultiConnectionData:
        return this.#named(to.connectionIds);
      case MessageType.CloseConnectionsWithAck:
      case MessageType.BroadcastData:
        return this.#members.values();
      case MessageType.CloseGroupConnectionsWithAck:
      case MessageType.GroupBroadcastData:
        return this.inGroup(to.group);
      case MessageType.MultiGroupBroadcastData:
        return to.groups.flatMap((group) => [...this.inGroup(group)]);
      case MessageType.CloseUserConnectionsWithAck:
      case MessageType.UserData:
        return this.ofUsers([to.userId]);
      case MessageType.MultiUserData:
        return this.ofUsers(to.userIds);
    }
  }

  #named(ids: readonly string[]): Member[] {
    return ids.flatMap((id) => this.#members.get(id) ?? []);
  }
}
