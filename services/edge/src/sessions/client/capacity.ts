import type { EdgeContext } from '../edge-context.ts';

/** Whether an edge can take one more client; each that it cannot is counted as refused. */
export class Capacity {
  readonly #context: EdgeContext;

  constructor(context: EdgeContext) {
    this.#context = context;
  }

  /** An id for one more connection, or undefined when the edge holds as many as it may. */
  reserve(): string | undefined {
    if (!this.hasSocket()) return undefined;
    const { clients, counters } = this.#context;
    const id = this.#hasRoom() ? clients.reserve() : undefined;
    if (id === undefined) counters.refusals.add('connections');
    return id;
  }

  /** The same for an id that another edge has minted, which is not here. False when there is no room. */
  reserveFor(id: string): boolean {
    if (!this.hasSocket()) return false;
    const { clients, counters } = this.#context;
    if (this.#hasRoom() && clients.reserveFor(id)) return true;
    counters.refusals.add('connections');
    return false;
  }

  /**
   * False when there are as many sockets as open files allow. To be asked at a connect too: ids are
   * given out over few sockets, and each needs one of its own then.
   */
  hasSocket(): boolean {
    const { limits, counters } = this.#context;
    if (counters.openSockets < limits.openSockets) return true;
    counters.refusals.add('open_files');
    return false;
  }

  #hasRoom(): boolean {
    const { clients, limits } = this.#context;
    return clients.size < limits.connections;
  }
}
