import type { Budget } from '@trunkline/protocol';
import {
  ByteWriter,
  classifyRecord,
  HubMessageType,
  MAX_SERVICE_MESSAGE_BYTES,
  recordEnd,
  RecordInfo,
  streamIdsOf,
} from '@trunkline/protocol';

const FIRST_BYTES = 512;

const info = new RecordInfo();

/** Whole hub messages of a client on the move, kept in their order for its next app server. */
export class MovingQueue<O> {
  readonly #binary: boolean;
  readonly #owner: O;
  readonly #pool: Budget<O>;
  #bytes: ByteWriter | undefined;
  #count = 0;
  /** Ids of calls that are held back, and of the uploads that belong to them. */
  readonly #ids = new Set<string>();
  #calls = 0;

  /** `owner`: the client, in the pool that its bytes count against. */
  constructor(binary: boolean, owner: O, pool: Budget<O>) {
    this.#binary = binary;
    this.#owner = owner;
    this.#pool = pool;
  }

  /** How many calls wait here for an answer to come. */
  get calls(): number {
    return this.#calls;
  }

  hasCall(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Keeps a copy of whole hub messages. False when there is no room for them. */
  hold(bytes: Uint8Array, count: number): boolean {
    if (!this.#pool.take(this.#owner, bytes.length)) return false;
    this.#bytes ??= new ByteWriter(FIRST_BYTES);
    this.#bytes.raw(bytes);
    this.#count += count;
    return true;
  }

  /**
   * Holds new calls back, and passes on what belongs to those that run, answers to the hub's own
   * questions among it: without them a call that asks its client would never end. False when there
   * is no room. `pass` may answer false to be given nothing more.
   */
  sift(bytes: Uint8Array, pass: (record: Uint8Array) => boolean): boolean {
    for (let start = 0; start < bytes.length;) {
      const end = recordEnd(this.#binary, bytes, start, MAX_SERVICE_MESSAGE_BYTES);
      const record = bytes.subarray(start, end);
      if (!this.#isNew(record)) {
        if (!pass(record)) return true;
      } else if (!this.hold(record, 1)) return false;
      start = end;
    }
    return true;
  }

  /** Hands over what was held, if anything was, and keeps none of it. */
  release(take: (bytes: Uint8Array, count: number) => void): void {
    const held = this.#bytes;
    if (held === undefined) return;
    this.#bytes = undefined;
    this.#pool.giveAll(this.#owner);
    take(held.view(), this.#count);
    this.#count = 0;
  }

  /** A call, or part of one that is held. */
  #isNew(record: Uint8Array): boolean {
    classifyRecord(this.#binary, record, 0, record.length, info);
    const { type } = info;
    const id = info.idText(record);
    if (type !== HubMessageType.Invocation && type !== HubMessageType.StreamInvocation) {
      return id !== undefined && this.#ids.has(id);
    }
    if (id !== undefined && !this.#ids.has(id)) {
      this.#ids.add(id);
      this.#calls++;
    }
    for (const stream of streamIdsOf(this.#binary, record)) this.#ids.add(stream);
    return true;
  }
}
