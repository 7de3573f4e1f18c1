import type { BusStats } from '../bus/bus-stats.ts';
import type { Time } from '../ports/time.ts';

/** How long an edge goes on taking new clients without the bus: most outages are shorter. */
const WITHOUT_BUS_MS = 3_000;

/** Whether new clients and app servers should be sent to this edge. */
export class Health {
  readonly #bus: Pick<BusStats, 'isUp' | 'since'>;
  readonly #cluster: { readonly isSettled: boolean };
  readonly #draining: { readonly isOn: boolean };
  readonly #time: Pick<Time, 'now'>;
  /** Its ports are open, and it is not about to stop. */
  isServing = false;

  constructor(
    bus: Pick<BusStats, 'isUp' | 'since'>,
    cluster: { readonly isSettled: boolean },
    draining: { readonly isOn: boolean },
    time: Pick<Time, 'now'>,
  ) {
    this.#bus = bus;
    this.#cluster = cluster;
    this.#draining = draining;
    this.#time = time;
  }

  /** Undefined: they should. */
  get whyNot(): string | undefined {
    const { isUp, since } = this.#bus;
    if (!this.isServing) return 'it starts or stops';
    if (this.#draining.isOn) return 'it drains';
    if (!isUp && this.#time.now() - since >= WITHOUT_BUS_MS) return 'it is not part of the bus';
    return this.#cluster.isSettled ? undefined : 'it does not know the other edges yet';
  }
}
