import type { HubScope } from '../hubs/hub.ts';
import type { LazySignal } from '../lazy-signal.ts';
import type { Groups } from '../management/groups.ts';
import type { ServiceManager } from '../management/service-manager.ts';
import type { UntypedClient } from '../sending/clients.ts';
import { CallerClients } from '../sending/clients.ts';
import type { ClientConnection } from './client-connection.ts';
import type { HubContext } from './context.ts';

/** What one invocation works with; made as it is asked for, since few invocations need it all. */
export class ClientScope implements HubScope {
  readonly #client: ClientConnection;
  readonly #aborted: LazySignal;
  readonly #beforeInvoke: () => void;
  #clients: CallerClients<UntypedClient> | undefined;
  #manager: ServiceManager | undefined;

  /** `beforeInvoke` runs before a client result is asked for, and may throw. */
  constructor(client: ClientConnection, aborted: LazySignal, beforeInvoke: () => void) {
    this.#client = client;
    this.#aborted = aborted;
    this.#beforeInvoke = beforeInvoke;
  }

  get context(): HubContext {
    return this.#client.context;
  }

  get clients(): CallerClients<UntypedClient> {
    const client = this.#client;
    return (this.#clients ??= new CallerClients(
      client.host.sender(client, this.#beforeInvoke),
      client.id,
    ));
  }

  get manager(): ServiceManager {
    const client = this.#client;
    return (this.#manager ??= client.host.managerFor(client));
  }

  get groups(): Groups {
    return this.manager.groups;
  }

  get signal(): AbortSignal {
    return this.#aborted.signal;
  }
}
