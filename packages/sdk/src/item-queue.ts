import { deferred } from './deferred.ts';
import type { Deferred } from './deferred.ts';

/** Counts what somebody keeps, in bytes. */
export interface Tally {
  /** Answers what the item counts as. Throws when that is too much. */
  take(item: unknown): number;
  give(bytes: number): void;
}

interface Kept {
  readonly item: unknown;
  readonly counted: number;
}

type Result = IteratorResult<unknown>;

/**
 * The items of a stream on their way to its one reader, who may be a hub method that reads what a
 * client uploads (client protocols reference, 6.6). It keeps a few for a slow reader; then whoever
 * brings more has to wait.
 */
export class ItemQueue implements AsyncIterable<unknown>, AsyncIterator<unknown> {
  readonly #capacity: number;
  readonly #tally: Tally | undefined;
  readonly #kept: Kept[] = [];
  /** Of reads that wait for an item. */
  readonly #reads: Deferred<Result>[] = [];
  #ended = false;
  #error: Error | undefined;
  /** Resolves when there is room, or none is needed. */
  #room: Deferred<void> | undefined;

  /** `tally` counts what is kept; nothing is where the reader waits for it. */
  constructor(capacity: number, tally?: Tally) {
    this.#capacity = capacity;
    this.#tally = tally;
  }

  /**
   * Takes an item. While the promise that it may return is pending, it is not known yet whether the
   * item can be taken. Throws, or rejects with, what the tally throws.
   */
  push(item: unknown): Promise<void> | undefined {
    if (this.#ended) return undefined;
    const read = this.#reads.shift();
    if (read === undefined) {
      this.#kept.push({ item, counted: this.#tally?.take(item) ?? 0 });
    } else {
      read.resolve({ done: false, value: item });
    }
    return undefined;
  }

  /** Pending while no more should be brought. */
  room(): Promise<void> | undefined {
    if (this.#ended || this.#kept.length <= this.#capacity) return undefined;
    this.#room ??= deferred();
    return this.#room.promise;
  }

  /** The sender's end of the stream; the reader gets what is left first, and `error` after it. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    for (const { resolve, reject } of this.#reads.splice(0)) this.#last().then(resolve, reject);
    this.#makeRoom();
  }

  /** The reader's end: nothing is kept for it any more. */
  close(): void {
    this.end();
    for (const { counted } of this.#kept.splice(0)) this.#tally?.give(counted);
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return this;
  }

  next(): Promise<Result> {
    const kept = this.#kept.shift();
    if (kept !== undefined) {
      this.#tally?.give(kept.counted);
      if (this.#kept.length <= this.#capacity) this.#makeRoom();
      return Promise.resolve({ done: false, value: kept.item });
    }
    if (this.#ended) return this.#last();
    const read = deferred<Result>();
    this.#reads.push(read);
    return read.promise;
  }

  return(): Promise<Result> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** What a read gets behind the last item: the error, if there is one, once. */
  #last(): Promise<Result> {
    const error = this.#error;
    this.#error = undefined;
    return error === undefined
      ? Promise.resolve({ done: true, value: undefined })
      : Promise.reject(error);
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}
