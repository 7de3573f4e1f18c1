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
    const { clients, limits, counters } = this.#context;
    const id = clients.size < limits.connections ? clients.reserve() : undefined;
    if (id === undefined) counters.refusals.add('connections');
    return id;
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
}
