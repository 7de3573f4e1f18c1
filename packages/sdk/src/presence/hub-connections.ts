import { badOptions } from '../errors.ts';
import type { GroupMember, ListOptions } from '../management/hub-manager.ts';
import { checkOptions } from '../option-tables/check.ts';
import { CONNECTION_SCOPE, LIST_CONNECTIONS_OPTIONS } from '../option-tables/tables.ts';
import { groupName, name } from '../sending/destination.ts';
import type { ConnectionScope, Directories } from './directory.ts';
import { listAt } from './directory.ts';

export interface ListConnectionsOptions extends ConnectionScope, ListOptions {}

/**
 * How many connections a hub has, and which: all of them, those in a group, or those of a user. A
 * service of Trunkline tells that, at all its edges; Azure SignalR Service does not. Rejects with
 * TrunklineError, as all REST calls do.
 */
export class HubConnections {
  readonly #directories: Directories;

  constructor(directories: Directories) {
    this.#directories = directories;
  }

  /** It costs the service the same for many as for few. */
  async count(scope: ConnectionScope = {}): Promise<number> {
    checkOptions('connections.count', CONNECTION_SCOPE, scope);
    const one = checkedScope(scope);
    const counts = await Promise.all(
      this.#directories.about(one).map((directory) => directory.count(one)),
    );
    return counts.reduce((sum, { count }) => sum + count, 0);
  }

  /**
   * Asked for page by page as they are read, endpoint after endpoint. Who comes or goes meanwhile may be
   * listed or not; nobody is listed twice.
   */
  async *list(options: ListConnectionsOptions = {}): AsyncGenerator<GroupMember> {
    checkOptions('connections.list', LIST_CONNECTIONS_OPTIONS, options);
    const { top = Infinity, ...scope } = options;
    const one = checkedScope(scope);
    let left = top;
    for (const directory of this.#directories.about(one)) {
      for await (const member of listAt(directory, one, left)) {
        yield member;
        left--;
      }
    }
  }
}

function checkedScope({ group, userId }: ConnectionScope): ConnectionScope {
  if (group === undefined) return userId === undefined ? {} : { userId: name(userId) };
  if (userId !== undefined) throw badOptions('give group or userId, not both');
  return { group: groupName(group) };
}
