import {
  classifyRecord,
  HubMessageType,
  MAX_SERVICE_MESSAGE_BYTES,
  recordEnd,
  RecordInfo,
  streamIdsOf,
} from '@trunkline/protocol';

/** What a client may say while it has no app server, and all such clients together. */
const HELD_BYTES = 256 * 1024;
const HELD_BYTES_OF_ALL = 64 * 1024 * 1024;

/** Bytes held for the clients of an edge that are on the move. */
export interface MoveBudget {
  heldBytes: number;
}

/** Whole hub messages, and how many. */
interface Held {
  readonly bytes: Uint8Array;
  readonly count: number;
}

const info = new RecordInfo();

/**
 * A client on its way from one app server to another. While its server still lives it settles:
 * calls that run are waited for, and new ones held back. Then it is between servers, and all that
 * it says is held. What was held goes to the next server, in order.
 */
export class Move {
  /** The server id that it leaves. */
  readonly from: string;
  /** The server id whose present connections cannot take the client. */
  avoids: string | undefined;
  /** When it has to be one step further, on the edge's clock (ms). */
  deadline: number;
  settling: boolean;
  /** Its server was lost, with what it was doing. */
  lost = false;
  readonly #binary: boolean;
  readonly #budget: MoveBudget;
  #held: Held[] = [];
  #heldBytes = 0;
  /** Ids of calls that are held back, and of the uploads that belong to them. */
  readonly #heldIds = new Set<string>();
  #heldCalls = 0;

  constructor(
    from: string,
    binary: boolean,
    budget: MoveBudget,
    stage: Pick<Move, 'settling' | 'deadline'>,
  ) {
    this.from = from;
    this.avoids = from;
    this.#binary = binary;
    this.#budget = budget;
    this.settling = stage.settling;
    this.deadline = stage.deadline;
  }

  /** How many calls the old server has not been told of. */
  get heldCalls(): number {
    return this.#heldCalls;
  }

  isHeldCall(id: string): boolean {
    return this.#heldIds.has(id);
  }

  /** Keeps a copy of whole hub messages. False when there are too many. */
  hold(bytes: Uint8Array, count: number): boolean {
    this.#heldBytes += bytes.length;
    this.#budget.heldBytes += bytes.length;
    this.#held.push({ bytes: new Uint8Array(bytes), count });
    return this.#heldBytes <= HELD_BYTES && this.#budget.heldBytes <= HELD_BYTES_OF_ALL;
  }

  /**
   * While it settles: holds new calls back, and passes on what belongs to those that run, answers
   * to the server's own questions among it. False when too much is held.
   */
  sift(bytes: Uint8Array, pass: (record: Uint8Array) => void): boolean {
    let room = true;
    for (let start = 0; start < bytes.length;) {
      const end = recordEnd(this.#binary, bytes, start, MAX_SERVICE_MESSAGE_BYTES);
      const record = bytes.subarray(start, end);
      if (this.#isNew(record)) room = this.hold(record, 1) && room;
      else pass(record);
      start = end;
    }
    return room;
  }

  /** Hands over what was held, in order, and is done with it. */
  release(take: (bytes: Uint8Array, count: number) => void): void {
    const held = this.#held;
    this.#held = [];
    this.#budget.heldBytes -= this.#heldBytes;
    this.#heldBytes = 0;
    for (const { bytes, count } of held) take(bytes, count);
  }

  /** A call, or part of one that is held. */
  #isNew(record: Uint8Array): boolean {
    classifyRecord(this.#binary, record, 0, record.length, info);
    const { type } = info;
    const id = info.idText(record);
    if (type !== HubMessageType.Invocation && type !== HubMessageType.StreamInvocation) {
      return id !== undefined && this.#heldIds.has(id);
    }
    if (id !== undefined && !this.#heldIds.has(id)) {
      this.#heldIds.add(id);
      this.#heldCalls++;
    }
    for (const stream of streamIdsOf(this.#binary, record)) this.#heldIds.add(stream);
    return true;
  }
}
