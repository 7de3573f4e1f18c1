import type { SharedBudget } from '@trunkline/protocol';

/**
 * What comes for a client before its handshake response is out: broadcasts, sends to its groups and
 * its user, messages of its own, in the order in which they came. An app that tells everybody of a
 * newcomer in OnConnected means the newcomer too (service protocol reference, section 8.4).
 */

/** What a place in a queue counts for, beside the bytes of the message. */
const ENTRY_BYTES = 16;

/** What a queue needs of the pool, which counts the bytes of all queues, shared ones once. */
export type OpeningBytes = Pick<SharedBudget<never>, 'allows' | 'add'>;

/** One message and how many clients wait for it: a send is copied once, however many those are. */
export class HeldMessage {
  readonly bytes: Uint8Array;
  /** What it counts for with each of the clients that it is held for, in bytes. */
  readonly part: number;
  holders = 0;

  /** `lent` is copied. */
  constructor(lent: Uint8Array, clients: number) {
    this.bytes = Uint8Array.from(lent);
    this.part = ENTRY_BYTES + lent.length / clients;
  }
}

/** A client that waits. `hold` answers false when it has no more room. */
interface Holder {
  hold(message: HeldMessage): boolean;
}

/** One send, for those of its clients that must wait: a copy for each hub protocol. */
export class HeldSend<T extends Holder> {
  readonly #clients = new Map<Uint8Array, T[]>();

  /** `payload` is lent until `hold` is called. */
  add(client: T, payload: Uint8Array): void {
    const clients = this.#clients.get(payload);
    if (clients === undefined) this.#clients.set(payload, [client]);
    else clients.push(client);
  }

  /** Gives everybody the message; answers those who have no room for it. */
  hold(): T[] {
    const full: T[] = [];
    for (const [payload, clients] of this.#clients) {
      const message = new HeldMessage(payload, clients.length);
      for (const client of clients) if (!client.hold(message)) full.push(client);
    }
    return full;
  }
}

/** The queue of one client. */
export class OpeningQueue {
  readonly #pool: OpeningBytes;
  #messages: HeldMessage[] = [];
  #bytes = 0;
  #part = 0;

  constructor(pool: OpeningBytes) {
    this.#pool = pool;
  }

  get count(): number {
    return this.#messages.length;
  }

  /** Bytes that count against this client; of messages held for several, its part when they came. */
  get part(): number {
    return this.#part;
  }

  /** False, and not kept, when the client holds too much already. */
  add(message: HeldMessage): boolean {
    const { length } = message.bytes;
    const bytes = this.#bytes + length + ENTRY_BYTES;
    if (!this.#pool.allows(bytes)) return false;
    this.#bytes = bytes;
    this.#part += message.part;
    this.#messages.push(message);
    this.#pool.add(message.holders++ === 0 ? ENTRY_BYTES + length : ENTRY_BYTES);
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
    let given = 0;
    for (const message of this.#messages) {
      given += --message.holders === 0 ? ENTRY_BYTES + message.bytes.length : ENTRY_BYTES;
    }
    this.#pool.add(-given);
    this.#messages = [];
    this.#bytes = 0;
    this.#part = 0;
  }
}
