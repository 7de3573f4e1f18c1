import { groupMembers } from '../management/group-members.ts';
import type {
  GroupManager,
  GroupMember,
  GroupPage,
  ListOptions,
  PageOptions,
  UserGroupManager,
  UserGroupOptions,
} from '../management/hub-manager.ts';
import { checkOptions } from '../option-tables/check.ts';
import { PAGE_OPTIONS, USER_GROUP_OPTIONS } from '../option-tables/tables.ts';
import { unheeded } from '../unheeded.ts';
import { path } from './rest-client.ts';
import type { RestAnswer, RestClient, RestPath } from './rest-client.ts';

/** The most that the service has on one page. */
const PAGE = 200;

/** Which connections are in which groups; every change counts as soon as it resolves. */
export class RestGroups implements GroupManager {
  readonly #client: RestClient;
  readonly #hub: string;

  constructor(client: RestClient, hub: string) {
    this.#client = client;
    this.#hub = hub;
  }

  /** Nothing happens when the connection does not exist. */
  add(connectionId: string, group: string): Promise<void> {
    return unheeded(this.#change('PUT', connectionId, group));
  }

  /** Nothing happens when the connection does not exist. */
  remove(connectionId: string, group: string): Promise<void> {
    return unheeded(this.#change('DELETE', connectionId, group));
  }

  removeFromAll(connectionId: string): Promise<void> {
    return unheeded(this.#removeFromAll(connectionId));
  }

  /** The connections of a group, asked for page by page as they are read. */
  connections(group: string, options: ListOptions = {}): AsyncGenerator<GroupMember> {
    return groupMembers((page) => this.page(group, page), options);
  }

  /** One page, the token of the last being undefined. */
  async page(group: string, options: PageOptions = {}): Promise<GroupPage> {
    checkOptions('groups.page', PAGE_OPTIONS, options);
    const { size = PAGE, continuationToken } = options;
    const maxPageSize = Math.min(PAGE, size);
    const query: ['maxpagesize' | 'continuationToken', string][] = [
      ['maxpagesize', String(maxPageSize)],
    ];
    if (continuationToken !== undefined) query.push(['continuationToken', continuationToken]);
    const address = path('hubs/{hub}/groups/{group}/connections', { hub: this.#hub, group });
    const answer = (await this.#client.call({ method: 'GET', path: address, query }))!;
    const { value, nextLink } = readPage(answer);
    const next = nextLink && new URL(nextLink).searchParams.get('continuationToken');
    return { members: value, continuationToken: next || undefined };
  }

  async #removeFromAll(connectionId: string): Promise<void> {
    const address = path('hubs/{hub}/connections/{connectionId}/groups', {
      hub: this.#hub,
      connectionId,
    });
    const absent = 'Error.Connection.NotExisted';
    await this.#client.call({ method: 'DELETE', path: address, absent });
  }

  async #change(method: 'PUT' | 'DELETE', connectionId: string, group: string): Promise<void> {
    const address = path('hubs/{hub}/groups/{group}/connections/{connectionId}', {
      hub: this.#hub,
      group,
      connectionId,
    });
    await this.#client.call({ method, path: address, absent: 'Error.Connection.NotExisted' });
  }
}

/** Which users are in which groups: their connections of now, and those that they make later. */
export class RestUserGroups implements UserGroupManager {
  readonly #client: RestClient;
  readonly #hub: string;

  constructor(client: RestClient, hub: string) {
    this.#client = client;
    this.#hub = hub;
  }

  add(userId: string, group: string, options: UserGroupOptions = {}): Promise<void> {
    return unheeded(this.#add(userId, group, options));
  }

  remove(userId: string, group: string): Promise<void> {
    return unheeded(this.#remove(() => this.#membership(userId, group)));
  }

  removeFromAll(userId: string): Promise<void> {
    return unheeded(
      this.#remove(() => path('hubs/{hub}/users/{user}/groups', { hub: this.#hub, user: userId })),
    );
  }

  async has(userId: string, group: string): Promise<boolean> {
    const address = this.#membership(userId, group);
    const absent = 'Info.User.NotInGroup';
    return (await this.#client.call({ method: 'HEAD', path: address, absent })) !== undefined;
  }

  async #add(userId: string, group: string, options: UserGroupOptions): Promise<void> {
    checkOptions('userGroups.add', USER_GROUP_OPTIONS, options);
    const { ttl } = options;
    const query = ttl === undefined ? [] : [['ttl', String(ttl)] as const];
    await this.#client.call({ method: 'PUT', path: this.#membership(userId, group), query });
  }

  /** `address` may throw, as `path` does. */
  async #remove(address: () => RestPath<UserGroupPath>): Promise<void> {
    await this.#client.call({ method: 'DELETE', path: address() });
  }

  #membership(userId: string, group: string): RestPath<'hubs/{hub}/users/{user}/groups/{group}'> {
    return path('hubs/{hub}/users/{user}/groups/{group}', { hub: this.#hub, user: userId, group });
  }
}

type UserGroupPath = 'hubs/{hub}/users/{user}/groups' | 'hubs/{hub}/users/{user}/groups/{group}';

interface Page {
  readonly value: readonly GroupMember[];
  readonly nextLink?: string;
}

function readPage({ body }: RestAnswer): Page {
  return JSON.parse(Buffer.from(body).toString()) as Page;
}
