import type {
  ConnectionCount,
  ConnectionPage,
  ConnectionScope,
  Directory,
} from '../presence/directory.ts';
import type { Member, MemoryHub } from './memory-hub.ts';

/** What a service in this process tells of its clients. */
export class MemoryDirectory implements Directory {
  readonly name: string;
  readonly #hub: MemoryHub;

  constructor(name: string, hub: MemoryHub) {
    this.name = name;
    this.#hub = hub;
  }

  async count(scope: ConnectionScope): Promise<ConnectionCount> {
    const ids = this.#members(scope).map(({ id }) => id);
    return { count: ids.length, version: ids.join() };
  }

  /** In the order in which they came; a cursor is how many came before. */
  async page(scope: ConnectionScope, size: number, cursor = '0'): Promise<ConnectionPage> {
    const all = this.#members(scope);
    const from = Number(cursor);
    const next = from + size;
    const members = all.slice(from, next).map(({ id, userId }) => ({
      connectionId: id,
      ...(userId !== undefined && { userId }),
    }));
    return { members, cursor: next < all.length ? String(next) : undefined };
  }

  #members({ group, userId }: ConnectionScope): readonly Member[] {
    if (group !== undefined) return [...this.#hub.inGroup(group)];
    return userId === undefined ? this.#hub.all() : this.#hub.ofUsers([userId]);
  }
}
