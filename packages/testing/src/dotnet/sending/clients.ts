import type { MessageFromServer, Payloads } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';

import type { ClientConnection } from '../clients/client-connection.ts';
import { DotnetException } from '../exception.ts';
import type { HubServer } from '../hub-server.ts';
import { payloadsOf } from './payloads.ts';

/** `IClientProxy`: resolves when the message has been handed to a server connection. */
export interface ClientProxy {
  send(method: string, ...args: readonly unknown[]): Promise<void>;
}

/** `ISingleClientProxy`. */
export interface SingleClientProxy extends ClientProxy {
  /** Resolves to the client's result; `signal` ends the wait. */
  invoke(method: string, args: readonly unknown[], signal?: AbortSignal): Promise<unknown>;
}

/** `Clients` of a hub, or of its context outside one: what each says on the wire is section 20.5. */
export class Clients {
  readonly #hub: HubServer;
  readonly #caller: ClientConnection | undefined;

  constructor(hub: HubServer, caller?: ClientConnection) {
    this.#hub = hub;
    this.#caller = caller;
  }

  get all(): ClientProxy {
    return this.allExcept([]);
  }

  get caller(): SingleClientProxy {
    return this.client(this.#callerId);
  }

  get others(): ClientProxy {
    return this.allExcept([this.#callerId]);
  }

  allExcept(excludedConnectionIds: readonly string[]): ClientProxy {
    const type = MessageType.BroadcastData;
    return this.#proxy((payloads) => ({ type, excludedConnectionIds, payloads }));
  }

  /** A client of this process gets its own protocol alone, on the connection it lives on. */
  client(id: string): SingleClientProxy {
    const send = async (method: string, ...args: unknown[]): Promise<void> => {
      const local = this.#hub.localClient(id);
      const payloads = payloadsOf(method, args, local?.protocol);
      const connection = local?.server ?? this.#hub.connectionFor(this.#caller, id);
      connection.write({ type: MessageType.MultiConnectionData, connectionIds: [id], payloads });
    };
    const invoke: SingleClientProxy['invoke'] = async (method, args, signal) => {
      if (this.#caller?.id === id && this.#hub.options.maximumParallelInvocationsPerClient === 1) {
        throw new DotnetException('InvalidOperationException', NEEDS_PARALLEL);
      }
      const { results } = this.#hub.environment;
      return results.invoke(this.#hub, this.#caller, id, method, args, signal);
    };
    return { send, invoke };
  }

  clients(connectionIds: readonly string[]): ClientProxy {
    const type = MessageType.MultiConnectionData;
    return this.#unlessEmpty(connectionIds, (payloads) => ({ type, connectionIds, payloads }));
  }

  group(name: string): ClientProxy {
    return this.groupExcept(name, []);
  }

  groupExcept(group: string, excludedConnectionIds: readonly string[]): ClientProxy {
    const message = {
      type: MessageType.GroupBroadcastData,
      group,
      excludedConnectionIds,
      excludedUserIds: [],
      callerUserId: undefined,
    } as const;
    return this.#proxy((payloads) => ({ ...message, payloads }), group);
  }

  othersInGroup(group: string): ClientProxy {
    return this.groupExcept(group, [this.#callerId]);
  }

  groups(groups: readonly string[]): ClientProxy {
    const type = MessageType.MultiGroupBroadcastData;
    return this.#unlessEmpty(groups, (payloads) => ({ type, groups, payloads }));
  }

  user(userId: string): ClientProxy {
    const type = MessageType.UserData;
    return this.#proxy((payloads) => ({ type, userId, payloads }), userId);
  }

  users(userIds: readonly string[]): ClientProxy {
    const type = MessageType.MultiUserData;
    return this.#unlessEmpty(userIds, (payloads) => ({ type, userIds, payloads }));
  }

  get #callerId(): string {
    if (this.#caller === undefined) throw new Error('there is no caller outside a hub');
    return this.#caller.id;
  }

  #proxy(message: (payloads: Payloads) => MessageFromServer, key?: string): ClientProxy {
    return {
      send: async (method, ...args) => {
        const connection = this.#hub.connectionFor(this.#caller, key);
        connection.write(message(payloadsOf(method, args)));
      },
    };
  }

  #unlessEmpty(
    targets: readonly string[],
    message: (payloads: Payloads) => MessageFromServer,
  ): ClientProxy {
    return targets.length === 0 ? NOBODY : this.#proxy(message);
  }
}

const NOBODY: ClientProxy = { send: async () => {} };

const NEEDS_PARALLEL =
  'Client results inside a Hub method requires HubOptions.MaximumParallelInvocationsPerClient to be greater than 1.';
