const MIB = 1024 * 1024;
/** From here on the bus has much to do: at 2 MB a second it is two seconds behind, and pings with it. */
const MUCH_BYTES = 4 * MIB;
/** What a hub may say beyond that. */
const SHARE_BYTES = MIB / 4;
/**
 * From here on nobody goes on. With the 12 MiB that clients may have said to app servers of other edges, it
 * leaves a bus of 32 MiB some 12 for a message that was let through, and for what edges say of themselves.
 */
const FULL_BYTES = 8 * MIB;

/**
 * Who may go on saying something to other edges. App servers can say more than an engine takes, for a while:
 * what does not fit into the bus is dropped, which is a gap for every hub. So the ones of a hub that says
 * very much wait, with what they have sent, while those of others go on.
 */
export class BusRoom {
  readonly #waiting: () => number;
  /** By hub, bytes said since the bus has much to do. */
  readonly #said = new Map<string, number>();

  /** `waiting`: bytes that the engine has not taken; those of clients do not count, who have a bound of their own. */
  constructor(waiting: () => number) {
    this.#waiting = waiting;
  }

  /** So many bytes were said for the hub: by its app servers, or by REST calls. */
  said(hub: string, bytes: number): void {
    if (this.#waiting() >= MUCH_BYTES) this.#said.set(hub, (this.#said.get(hub) ?? 0) + bytes);
    else if (this.#said.size > 0) this.#said.clear();
  }

  /** Whether the hub's app servers may go on. */
  isFor(hub: string): boolean {
    const waiting = this.#waiting();
    if (waiting < MUCH_BYTES) return true;
    return waiting < FULL_BYTES && (this.#said.get(hub) ?? 0) < SHARE_BYTES;
  }
}
