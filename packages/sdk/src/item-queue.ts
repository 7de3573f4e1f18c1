import { deferred } from './deferred.ts';
import type { Deferred } from './deferred.ts';

/**
 * The items of a stream on their way to its one reader, who may be a hub method that reads what a
 * client uploads (client protocols reference, 6.6). It holds a few for a slow reader; then whoever
 * brings more has to wait.
 */
export class ItemQueue implements AsyncIterable<unknown>, AsyncIterator<unknown> {
  readonly #capacity: number;
  #items: unknown[] = [];
  #ended = false;
  #error: Error | undefined;
  /** Resolves when there is an item, or none will come. */
  #arrival: Deferred<void> | undefined;
  /** Resolves when there is room, or none is needed. */
  #room: Deferred<void> | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Takes an item. No more should be brought before the promise, if there is one, has resolved. */
  push(item: unknown): Promise<void> | undefined {
    if (this.#ended) return undefined;
    this.#items.push(item);
    this.#arrival?.resolve();
    if (this.#items.length <= this.#capacity) return undefined;
    this.#room ??= deferred();
    return this.#room.promise;
  }

  /** The sender's end of the stream; the reader gets what is left first, and `error` after it. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#arrival?.resolve();
    this.#room?.resolve();
  }

  /** The reader's end: nothing is kept for it any more. */
  close(): void {
    this.end();
    this.#items = [];
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return this;
  }

  async next(): Promise<IteratorResult<unknown>> {
    while (this.#items.length === 0 && !this.#ended) {
      this.#arrival ??= deferred();
      await this.#arrival.promise;
      this.#arrival = undefined;
    }
    if (this.#items.length > 0) {
      const value = this.#items.shift();
      if (this.#items.length <= this.#capacity) this.#makeRoom();
      return { done: false, value };
    }
    if (this.#error === undefined) return { done: true, value: undefined };
    const error = this.#error;
    this.#error = undefined;
    throw error;
  }

  return(): Promise<IteratorResult<unknown>> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}
