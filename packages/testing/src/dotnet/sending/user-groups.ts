import { MessageType } from '@trunkline/protocol';

import type { HubServer } from '../hub-server.ts';

/** `UserGroups` of a hub context of the Management SDK. All resolve when the service has done it. */
export class UserGroups {
  readonly #hub: HubServer;

  constructor(hub: HubServer) {
    this.#hub = hub;
  }

  /** `ttl`: seconds for which later connections of the user join too; the service's longest when not given. */
  async add(userId: string, group: string, ttl?: number): Promise<void> {
    const type = MessageType.UserJoinGroupWithAck;
    const lasting = ttl === undefined ? {} : { ttl };
    await this.#hub.request((ackId) => ({ type, userId, group, ackId, ...lasting }), group);
  }

  async remove(userId: string, group: string): Promise<void> {
    await this.#leave(userId, group);
  }

  async removeFromAll(userId: string): Promise<void> {
    await this.#leave(userId, undefined);
  }

  has(userId: string, group: string): Promise<boolean> {
    const type = MessageType.CheckUserInGroupWithAck;
    return this.#hub.request((ackId) => ({ type, userId, group, ackId }), group);
  }

  #leave(userId: string, group: string | undefined): Promise<boolean> {
    const type = MessageType.UserLeaveGroupWithAck;
    return this.#hub.request((ackId) => ({ type, userId, group, ackId }), group ?? userId);
  }
}
