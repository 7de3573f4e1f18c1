import { isMissed } from './edge-report.ts';
import type { ServerConnection } from './server-connection.ts';

/** The server connections of a pool, and which of them is for what. */
export class PoolConnections {
  readonly slots: (ServerConnection | undefined)[];
  /** Without a slot: at the service's request, for an edge that no other one is at, or about to get one. */
  readonly extra = new Set<ServerConnection>();

  constructor(slots: number) {
    this.slots = Array.from({ length: slots }, () => undefined);
  }

  all(): ServerConnection[] {
    return [...this.slots.filter((connection) => connection !== undefined), ...this.extra];
  }

  /**
   * The connection for work that belongs to `key`: always the same one, as long as it is there, and its
   * edge is not missed by others (`isMissed`). The edge that the slots are at may be gone, while others
   * are not.
   */
  find(key: string): ServerConnection | undefined {
    return this.#find(key, (one) => !one.isMissed) ?? this.#find(key, () => true);
  }

  /** To be called when an edge has said which edges there are, or a connection may have ended. */
  compareReports(): void {
    const open = this.all().filter((one) => one.open);
    const reports = open.flatMap(({ edges }) => edges ?? []);
    for (const one of open) one.isMissed = one.edges !== undefined && isMissed(one.edges, reports);
  }

  #find(key: string, suits: (one: ServerConnection) => boolean): ServerConnection | undefined {
    const first = hash(key) % this.slots.length;
    for (let step = 0; step < this.slots.length; step++) {
      const connection = this.slots[(first + step) % this.slots.length];
      if (connection?.open === true && suits(connection)) return connection;
    }
    return [...this.extra].find((one) => one.open && suits(one));
  }
}

/** FNV-1a over UTF-16 units: any even spread will do. */
function hash(key: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) value = Math.imul(value ^ key.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
