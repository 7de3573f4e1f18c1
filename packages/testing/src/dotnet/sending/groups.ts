import { MessageType } from '@trunkline/protocol';

import type { ClientConnection } from '../clients/client-connection.ts';
import type { HubServer } from '../hub-server.ts';

/** `Groups` of a hub, or of its context outside one. Both resolve when the service has done it. */
export class Groups {
  readonly #hub: HubServer;
  readonly #caller: ClientConnection | undefined;

  constructor(hub: HubServer, caller?: ClientConnection) {
    this.#hub = hub;
    this.#caller = caller;
  }

  add(connectionId: string, group: string): Promise<boolean> {
    return this.#command(MessageType.JoinGroupWithAck, connectionId, group);
  }

  remove(connectionId: string, group: string): Promise<boolean> {
    return this.#command(MessageType.LeaveGroupWithAck, connectionId, group);
  }

  /** Of the Management SDK. */
  removeFromAll(connectionId: string): Promise<boolean> {
    const type = MessageType.LeaveGroupWithAck;
    return this.#hub.request((ackId) => ({ type, connectionId, group: undefined, ackId }));
  }

  #command(
    type: typeof MessageType.JoinGroupWithAck | typeof MessageType.LeaveGroupWithAck,
    connectionId: string,
    group: string,
  ): Promise<boolean> {
    const { groupsKeepToCaller } = this.#hub.environment.profile;
    const caller = groupsKeepToCaller ? this.#caller : undefined;
    return this.#hub.acks.request((ackId) => {
      this.#hub.connectionFor(caller, connectionId).write({ type, connectionId, group, ackId });
    });
  }
}
