import type { Profile } from '../profiles.ts';
import type { ClientConnection } from './client-connection.ts';

/**
 * The client connections of the process. An id that is there already keeps whom it has: whoever
 * opens it again hears nothing (service protocol reference, sections 8.2 and 20.9).
 */
export class ClientTable {
  readonly #profile: Profile;
  readonly #byId = new Map<string, ClientConnection>();
  readonly #running = new Set<ClientConnection>();
  readonly #idle: (() => void)[] = [];

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Every client whose hub has not let go of it. */
  get running(): ClientConnection[] {
    return [...this.#running];
  }

  get(id: string): ClientConnection | undefined {
    return this.#byId.get(id);
  }

  add(client: ClientConnection): void {
    if (!this.#byId.has(client.id)) this.#byId.set(client.id, client);
  }

  started(client: ClientConnection): void {
    this.#running.add(client);
  }

  remove(id: string): ClientConnection | undefined {
    const client = this.#byId.get(id);
    this.#byId.delete(id);
    return client;
  }

  /** The hub has let go of a client. Old versions look only at its id, whoever has that now. */
  finished(client: ClientConnection): void {
    this.#running.delete(client);
    if (!this.#profile.leavesByIdentity || this.#byId.get(client.id) === client) {
      this.#byId.delete(client.id);
    }
    if (this.#running.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Resolves when no hub has a client any more. */
  async idle(): Promise<void> {
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
}
