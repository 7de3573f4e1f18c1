import type { HubScope } from '../hubs/hub.ts';
import type { LazySignal } from '../lazy-signal.ts';
import type { UntypedClient } from '../sending/clients.ts';
import { CallerClients } from '../sending/clients.ts';
import type { Groups } from '../sending/groups.ts';
import type { ClientConnection } from './client-connection.ts';
import type { HubContext } from './context.ts';

/** What one invocation works with; made as it is asked for, since few invocations need it all. */
export class ClientScope implements HubScope {
  readonly #client: ClientConnection;
  readonly #aborted: LazySignal;
  readonly #beforeInvoke: () => void;
  #clients: CallerClients<UntypedClient> | undefined;
  #groups: Groups | undefined;

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

  get groups(): Groups {
    const client = this.#client;
    return (this.#groups ??= client.host.groupsFor(client));
  }

  get signal(): AbortSignal {
    return this.#aborted.signal;
  }
}
