import type { ClientConnection } from '../clients/client-connection.ts';
import { deferred } from '../deferred.ts';
import type { Deferred } from '../deferred.ts';
import type { ServerConnection } from '../trunk/server-connection.ts';

/** The clients of one hub key on this server, and whether anything that they set off still runs. */
export class HubClients {
  readonly #byId = new Map<string, ClientConnection>();
  #unfinished = 0;
  #idle: Deferred<void> | undefined;

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): ClientConnection | undefined {
    return this.#byId.get(id);
  }

  [Symbol.iterator](): Iterator<ClientConnection> {
    return this.#byId.values();
  }

  on(connection: ServerConnection): ClientConnection[] {
    return [...this.#byId.values()].filter(({ trunk }) => trunk === connection);
  }

  add(client: ClientConnection): void {
    this.#byId.set(client.id, client);
    client.trunk.clients++;
  }

  /** Its id may have passed to another connection since. */
  delete(client: ClientConnection): void {
    if (this.#byId.get(client.id) === client) this.#byId.delete(client.id);
    client.trunk.clients--;
    this.#checkIdle();
  }

  /** Something began that outlives its client; `finished` must follow. */
  started(): void {
    this.#unfinished++;
  }

  finished(): void {
    this.#unfinished--;
    this.#checkIdle();
  }

  /** Resolves when no client is left and nothing that they set off is still running. */
  async idle(): Promise<void> {
    if (this.#byId.size === 0 && this.#unfinished === 0) return;
    this.#idle ??= deferred();
    await this.#idle.promise;
  }

  #checkIdle(): void {
    if (this.#byId.size > 0 || this.#unfinished > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}
