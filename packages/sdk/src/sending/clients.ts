import { toAll, toConnections, toGroup, toGroups, toUser, toUsers } from './destination.ts';
import type { Destination, Names } from './destination.ts';
import type { InvokeOptions, Sender } from './send-proxy.ts';
import { SendProxy, SingleSendProxy } from './send-proxy.ts';

/** A client of which nothing is known: any method, any arguments. */
export type UntypedClient = Record<string, (...args: unknown[]) => unknown>;

type OwnNames = 'send' | 'invoke' | 'then' | 'toJSON' | 'toString' | 'valueOf';

/** Each method of `Client` as a send, which resolves when the service has been handed the message. */
export type Sends<Client> = {
  /** Sends by name, for names that clash with `send` and `invoke` themselves. */
  send(name: string, ...args: unknown[]): Promise<void>;
} & {
  readonly [Name in Exclude<keyof Client, OwnNames>]: Client[Name] extends (
    ...args: infer Args
  ) => unknown
    ? (...args: Args) => Promise<void>
    : never;
};

/** Each method of `Client` as a call that resolves with the client's answer. */
export type Invokes<Client> = {
  /** Invokes by name. */
  send(name: string, ...args: unknown[]): Promise<unknown>;
} & {
  readonly [Name in Exclude<keyof Client, OwnNames>]: Client[Name] extends (
    ...args: infer Args
  ) => infer Answer
    ? (...args: Args) => Promise<Awaited<Answer>>
    : never;
};

/** One client: it can be sent to, and it can be asked. */
export type SingleClient<Client> = {
  /**
   * A proxy whose calls wait for the client's answer. They reject with a HubError for the client's
   * own error and for a wait that ended, and with a TrunklineError when the client is not there.
   */
  invoke(options?: InvokeOptions): Invokes<Client>;
} & Sends<Client>;

/** Whom to send to, from anywhere (client protocols reference, section 6.3). */
export class Clients<Client> {
  readonly #sender: Sender;

  constructor(sender: Sender) {
    this.#sender = sender;
  }

  get all(): Sends<Client> {
    return this.#to(toAll());
  }

  allExcept(connectionIds: Names): Sends<Client> {
    return this.#to(toAll(connectionIds));
  }

  /** An unknown id is no error: nobody gets the message. */
  client(connectionId: string): SingleClient<Client> {
    const destination = toConnections(connectionId);
    const proxy: unknown = new SingleSendProxy(this.#sender, connectionId, destination);
    return proxy as SingleClient<Client>;
  }

  clients(connectionIds: Names): Sends<Client> {
    return this.#to(toConnections(connectionIds));
  }

  group(name: string): Sends<Client> {
    return this.#to(toGroup(name));
  }

  groupExcept(name: string, connectionIds: Names): Sends<Client> {
    return this.#to(toGroup(name, connectionIds));
  }

  /** A connection in several of the groups gets one copy, but by REST one for each. */
  groups(names: Names): Sends<Client> {
    return this.#to(toGroups(names));
  }

  /** Every connection of a user. Compared exactly. */
  user(userId: string): Sends<Client> {
    return this.#to(toUser(userId));
  }

  users(userIds: Names): Sends<Client> {
    return this.#to(toUsers(userIds));
  }

  #to(destination: Destination | undefined): Sends<Client> {
    const proxy: unknown = new SendProxy(this.#sender, destination);
    return proxy as Sends<Client>;
  }
}

/** The same inside a hub, where there is a caller. */
export class CallerClients<Client> extends Clients<Client> {
  readonly #callerId: string;

  constructor(sender: Sender, callerId: string) {
    super(sender);
    this.#callerId = callerId;
  }

  get caller(): SingleClient<Client> {
    return this.client(this.#callerId);
  }

  get others(): Sends<Client> {
    return this.allExcept(this.#callerId);
  }

  othersInGroup(name: string): Sends<Client> {
    return this.groupExcept(name, this.#callerId);
  }
}
