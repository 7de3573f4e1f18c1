import { MessageType } from '@trunkline/protocol';

import type { SendTarget } from '../endpoints/router.ts';
import { checkOptions } from '../option-tables/check.ts';
import { USER_GROUP_OPTIONS } from '../option-tables/tables.ts';
import { groupName, name } from '../sending/destination.ts';
import { unheeded } from '../unheeded.ts';
import type { UserGroupManager, UserGroupOptions } from './hub-manager.ts';
import type { ServiceRequests } from './service-requests.ts';

/** Which users are in which groups, asked over server connections. */
export class UserGroups implements UserGroupManager {
  readonly #requests: ServiceRequests;

  constructor(requests: ServiceRequests) {
    this.#requests = requests;
  }

  add(userId: string, group: string, options: UserGroupOptions = {}): Promise<void> {
    return unheeded(this.#add(userId, group, options));
  }

  remove(userId: string, group: string): Promise<void> {
    return unheeded(this.#remove(userId, () => groupName(group)));
  }

  removeFromAll(userId: string): Promise<void> {
    return unheeded(this.#remove(userId, () => undefined));
  }

  async has(userId: string, group: string): Promise<boolean> {
    const type = MessageType.CheckUserInGroupWithAck;
    const message = { type, userId: name(userId), group: groupName(group) };
    return this.#requests.onAny(user(userId), { message, what: "asking for the user's group" });
  }

  async #add(userId: string, group: string, options: UserGroupOptions): Promise<void> {
    checkOptions('userGroups.add', USER_GROUP_OPTIONS, options);
    const { ttl } = options;
    const type = MessageType.UserJoinGroupWithAck;
    const message = { type, userId: name(userId), group: groupName(group) };
    const kept = ttl === undefined ? {} : { ttl };
    const what = 'adding the user to the group';
    await this.#requests.onAll(user(userId), { message: { ...message, ...kept }, what });
  }

  async #remove(userId: string, groupOf: () => string | undefined): Promise<void> {
    const type = MessageType.UserLeaveGroupWithAck;
    const message = { type, userId: name(userId), group: groupOf() };
    const what = 'removing the user from the group';
    await this.#requests.onAll(user(userId), { message, what });
  }
}

function user(userId: string): SendTarget {
  return { kind: 'users', names: [userId] };
}
