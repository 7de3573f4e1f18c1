import type { HubContext } from '../clients/context.ts';
import { badOptions, TrunklineError } from '../errors.ts';
import type { Groups } from '../management/groups.ts';
import type { ServiceManager } from '../management/service-manager.ts';
import type { CallerClients, UntypedClient } from '../sending/clients.ts';
import type { HubMethodOptions } from './hub-methods.ts';

/** What a hub object works with during its one invocation. */
export interface HubScope {
  readonly context: HubContext;
  readonly clients: CallerClients<UntypedClient>;
  readonly groups: Groups;
  readonly manager: ServiceManager;
  readonly signal: AbortSignal;
}

/** Gives a fresh hub object its scope. */
export let bindHub: (hub: Hub<never>, scope: HubScope) => void;

/**
 * The base of every hub. `Client` lists what the hub may call on its clients. A hub object lives for
 * one invocation: keep state elsewhere. Methods of the class are callable by clients, unless their
 * names start with `_` or `#`; a static `methods` lists them instead.
 */
export class Hub<Client = UntypedClient> {
  #scope: HubScope | undefined;

  static {
    bindHub = (hub, scope) => {
      if (hub.#scope !== undefined) {
        throw badOptions(
          'the option create must make a new hub object each time: one lives for a single call',
        );
      }
      hub.#scope = scope;
    };
  }

  get clients(): CallerClients<Client> {
    return this.#bound.clients as CallerClients<unknown> as CallerClients<Client>;
  }

  get groups(): Groups {
    return this.#bound.groups;
  }

  /** All clients of the hub, to be asked for, closed, and put into groups by user. */
  get manager(): ServiceManager {
    return this.#bound.manager;
  }

  get context(): HubContext {
    return this.#bound.context;
  }

  /** Aborted when the client cancels this invocation or its connection ends. */
  get signal(): AbortSignal {
    return this.#bound.signal;
  }

  /** Runs before any call of the client. What it throws closes the connection for good. */
  onConnected(): void | Promise<void> {}

  /**
   * Runs when the client has signed in anew on the connection that it has: `context.claims` are the
   * new ones already. What it throws is logged, and the connection stays.
   */
  onAuthenticationRefresh(): void | Promise<void> {}

  /** Runs last. `error` is absent when the client left, in whatever way. */
  onDisconnected(_error?: Error): void | Promise<void> {}

  get #bound(): HubScope {
    if (this.#scope !== undefined) return this.#scope;
    throw new TrunklineError(
      'wrong-place',
      'clients, groups, manager, context and signal are there in hub methods, not in a constructor',
    );
  }
}

/** A class of hubs, as `server.hub()` takes it. */
export interface HubClass<Client> extends HubType<Hub<Client>> {
  new (): Hub<Client>;
}

/** A hub, whatever it calls on its clients. */
export type AnyHub = Omit<Hub, 'clients'>;

/** A class of hubs whose objects the option `create` makes: its constructor takes what it needs. */
export interface HubType<Made> {
  new (...args: never[]): Made;
  /**
   * The methods that clients may call, by name, or with what there is to say of each. Default: those
   * of the class.
   */
  readonly methods?: readonly string[] | Readonly<Record<string, HubMethodOptions>>;
}
