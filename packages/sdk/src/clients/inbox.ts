import { ProtocolError, RecordBuffer } from '@trunkline/protocol';

import { InvalidDataException } from '../errors.ts';
import { RECORD_OVERHEAD, TOO_MUCH_PENDING } from './pending-bytes.ts';
import type { PendingBytes } from './pending-bytes.ts';

/** What one client may use before others get a turn: so many records, or so many milliseconds. */
export const RECORDS_PER_TURN = 256;
const TURN_MS = 10;
/**
 * Past this share of what may wait, time does not count: what arrives between two turns may be half
 * of it, and more than all would close a client that has only been quick.
 */
const BACKLOG = 3 / 8;

/** Stands for a record that is not kept any more. */
const TAKEN = new Uint8Array();

/** Takes one record; while the promise it may return is pending, the next has to wait. */
export type RecordStep = (
  bytes: Uint8Array,
  start: number,
  end: number,
) => Promise<void> | undefined;

export interface InboxOptions {
  /** Whether records are framed as in MessagePack. */
  readonly binary: boolean;
  readonly step: RecordStep;
  /** Pending while no record should be taken, for want of room for what it sets off. */
  readonly room: () => Promise<void> | undefined;
  /** Milliseconds from some fixed point. */
  readonly now: () => number;
  /** Bytes of one record. */
  readonly recordLimit: number;
  /** Bytes that may wait. */
  readonly limit: number;
  readonly pending: PendingBytes;
  /** What a step throws, an overflow, or bytes that are no records; nothing is taken after it. */
  readonly fail: (error: unknown) => void;
}

/**
 * One client's records on their way into its hub: strictly one after another. While a step waits,
 * records are kept, up to a limit, for the service cannot be told to hold back a single client.
 */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #records: RecordBuffer;
  #waiting = false;
  /** Of the client's turn: records and milliseconds. */
  #taken = 0;
  #spent = 0;
  #closed = false;
  #kept: Uint8Array[] = [];
  #next = 0;
  /** Of a record that has begun, in bytes. */
  #unfinished = 0;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#records = new RecordBuffer(options.binary, options.recordLimit);
  }

  /** Whether a record waits for the one before it: then silence is not the client's fault. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Takes bytes in whatever pieces they come. */
  push(bytes: Uint8Array): void {
    try {
      this.#records.push(bytes, (record, start, end) => this.#record(record, start, end));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const limit = `${this.#options.recordLimit}B`;
      const text =
        error.code === 'oversized'
          ? `The maximum message size of ${limit} was exceeded. The message size can be configured in AddHubOptions.`
          : error.message;
      this.#fail(new InvalidDataException(text));
    }
    if (this.#records.reserved !== this.#unfinished) this.#countUnfinished();
  }

  /** Takes no record until `step` has resolved. */
  holdFor(step: Promise<void>): void {
    const { now } = this.#options;
    const since = now();
    this.#waiting = true;
    step.then(
      () => {
        this.#spent += now() - since;
        this.#resume();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  /** Drops what is kept and whatever comes, for a client that has gone. */
  close(): void {
    this.#closed = true;
    this.#kept = [];
  }

  /** Services may pass on half a record, whose client may take its time with the rest. */
  #countUnfinished(): void {
    const { pending } = this.#options;
    pending.letGo(this.#unfinished);
    this.#unfinished = this.#records.reserved;
    if (!pending.hold(this.#unfinished)) this.#fail(new InvalidDataException(TOO_MUCH_PENDING));
  }

  #record(bytes: Uint8Array, start: number, end: number): void {
    if (this.#closed) return;
    if (this.#waiting) this.#keep(bytes.slice(start, end));
    else this.#take(bytes, start, end);
  }

  #take(bytes: Uint8Array, start: number, end: number): void {
    const { step, now } = this.#options;
    const since = now();
    try {
      const wait = step(bytes, start, end);
      this.#taken++;
      this.#spent += now() - since;
      if (wait === undefined) this.#holdIfNeeded();
      else this.holdFor(wait);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** For want of room, or because it is the others' turn. */
  #holdIfNeeded(): void {
    const room = this.#options.room();
    if (room !== undefined) {
      this.#waiting = true;
      void room.then(() => this.#resume());
    } else if (this.#turnIsOver()) {
      this.#waiting = true;
      setImmediate(() => this.#nextTurn());
    }
  }

  #turnIsOver(): boolean {
    if (this.#taken >= RECORDS_PER_TURN) return true;
    const { limit, pending } = this.#options;
    return this.#spent >= TURN_MS && pending.waiting <= limit * BACKLOG;
  }

  #nextTurn(): void {
    this.#taken = 0;
    this.#spent = 0;
    this.#resume();
  }

  #keep(record: Uint8Array): void {
    try {
      this.#options.pending.take(record.length + RECORD_OVERHEAD);
      this.#kept.push(record);
    } catch (error) {
      this.#fail(error);
    }
  }

  #resume(): void {
    this.#waiting = false;
    this.#holdIfNeeded();
    while (!this.#waiting && this.#next < this.#kept.length) {
      const record = this.#kept[this.#next]!;
      this.#kept[this.#next++] = TAKEN;
      this.#options.pending.give(record.length + RECORD_OVERHEAD);
      this.#take(record, 0, record.length);
    }
    // Cut off in large steps only: each one moves the rest.
    if (this.#next * 2 < this.#kept.length) return;
    this.#kept.splice(0, this.#next);
    this.#next = 0;
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.close();
    this.#options.fail(error);
  }
}
