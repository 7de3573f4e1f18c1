import type { Bus } from '../ports/bus.ts';

const MIB = 1024 * 1024;
/** From here on the bus has much to do: half of what an engine may have underway. */
const MUCH_BYTES = 8 * MIB;
/** What a hub may say beyond that. */
const SHARE_BYTES = MIB / 4;
/**
 * From here on nobody goes on: with the longest message on top, and what is said of clients and requests that
 * other edges serve, it is less than what a bus holds before it drops something.
 */
const FULL_BYTES = 12 * MIB;

/**
 * Who may go on saying something to other edges. App servers can say more than an engine takes, for a while:
 * what does not fit into the bus is dropped, which is a gap for every hub. So the ones of a hub that says
 * very much wait, with what they have sent, while those of others go on.
 */
export class BusRoom {
  readonly #bus: () => Pick<Bus, 'waiting'>;
  /** By hub, bytes said since the bus has much to do; empty while it has not. */
  readonly #said = new Map<string, number>();

  constructor(bus: () => Pick<Bus, 'waiting'>) {
    this.#bus = bus;
  }

  /** An app server has said so many bytes to the hub at other edges. */
  said(hub: string, bytes: number): void {
    if (this.#bus().waiting < MUCH_BYTES) return;
    this.#said.set(hub, (this.#said.get(hub) ?? 0) + bytes);
  }

  /** Whether the hub's app servers may go on. */
  isFor(hub: string): boolean {
    const { waiting } = this.#bus();
    if (waiting < MUCH_BYTES) {
      if (this.#said.size > 0) this.#said.clear();
      return true;
    }
    return waiting < FULL_BYTES && (this.#said.get(hub) ?? 0) < SHARE_BYTES;
  }
}
