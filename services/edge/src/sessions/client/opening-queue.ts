/**
 * What comes for a client before its handshake response is out: broadcasts, sends to its groups and
 * its user, messages of its own, in the order in which they came. An app that tells everybody of a
 * newcomer in OnConnected means the newcomer too (service protocol reference, section 8.4).
 */

/**
 * For one client: as much as may wait for one that is open. When 5,000 come at once and the app tells
 * everybody of each, the last of them holds 5,000 messages, of some hundred bytes.
 */
const BYTES = 1024 * 1024;
/**
 * For all clients of an edge: of those 5,000, each holds a place for all who came before it, 200 MB.
 * Over it, the largest holders go until an eighth is free again.
 */
const BYTES_OF_ALL = 256 * 1024 * 1024;
const RELIEVED = (BYTES_OF_ALL / 8) * 7;
/** A place in a queue, beside what it holds. */
const ENTRY_BYTES = 16;

/** One message and how many clients wait for it: a send is copied once, however many those are. */
export class HeldMessage {
  readonly bytes: Uint8Array;
  holders = 0;

  /** `lent` is copied. */
  constructor(lent: Uint8Array) {
    this.bytes = Uint8Array.from(lent);
  }
}

/** What one send makes of its payloads for clients that must wait: a copy for each hub protocol. */
export class HeldCopies {
  readonly #copies = new Map<Uint8Array, HeldMessage>();

  of(payload: Uint8Array): HeldMessage {
    let copy = this.#copies.get(payload);
    if (copy === undefined) {
      copy = new HeldMessage(payload);
      this.#copies.set(payload, copy);
    }
    return copy;
  }
}

/** Bytes in the queues of all clients, shared ones once. */
export interface OpeningBudget {
  heldBytes: number;
}

/** The queue of one client. */
export class OpeningQueue {
  readonly #budget: OpeningBudget;
  #messages: HeldMessage[] = [];
  #bytes = 0;

  constructor(budget: OpeningBudget) {
    this.#budget = budget;
  }

  get count(): number {
    return this.#messages.length;
  }

  /** False, and not kept, when the client holds too much already. */
  add(message: HeldMessage): boolean {
    const bytes = this.#bytes + message.bytes.length + ENTRY_BYTES;
    if (bytes > BYTES) return false;
    this.#bytes = bytes;
    this.#messages.push(message);
    if (message.holders++ === 0) this.#budget.heldBytes += message.bytes.length;
    this.#budget.heldBytes += ENTRY_BYTES;
    return true;
  }

  /** Everything that waits, as one; the queue is empty then. */
  take(): Uint8Array {
    const messages = this.#messages;
    this.clear();
    return messages.length === 1
      ? messages[0]!.bytes
      : Buffer.concat(messages.map(({ bytes }) => bytes));
  }

  clear(): void {
    for (const message of this.#messages) {
      if (--message.holders === 0) this.#budget.heldBytes -= message.bytes.length;
      this.#budget.heldBytes -= ENTRY_BYTES;
    }
    this.#messages = [];
    this.#bytes = 0;
  }

  /** Bytes that this client is to answer for: of what it shares with others, its part. */
  get share(): number {
    let share = 0;
    for (const { bytes, holders } of this.#messages) share += ENTRY_BYTES + bytes.length / holders;
    return share;
  }
}

/** Who has a queue. */
interface Holder {
  readonly heldShare: number;
}

/** The clients who have to go because all hold too much: those who hold most, and no more than that. */
export function* whoPays<T extends Holder>(
  holders: Iterable<T>,
  budget: OpeningBudget,
): Generator<T> {
  if (budget.heldBytes <= BYTES_OF_ALL) return;
  const shares = new Map([...holders].map((holder) => [holder, holder.heldShare]));
  const largestFirst = [...shares].toSorted(([, a], [, b]) => b - a);
  for (const [holder] of largestFirst) {
    if (budget.heldBytes <= RELIEVED) return;
    yield holder;
  }
}
