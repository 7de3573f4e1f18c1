import { HubException } from '../exception.ts';

/** `StreamBufferCapacity`: items that wait unread before the client's messages have to. */
const CAPACITY = 10;

/** A client's stream, as its hub method reads it. */
export class Upload implements AsyncIterable<unknown> {
  readonly #items: unknown[] = [];
  #ended = false;
  #error: Error | undefined;
  #wake = (): void => {};
  #room = (): void => {};

  /** Resolves when there is room for the next one. */
  async push(item: unknown): Promise<void> {
    if (this.#ended) return;
    this.#items.push(item);
    this.#wake();
    if (this.#items.length < CAPACITY) return;
    await new Promise<void>((resolve) => {
      this.#room = resolve;
    });
  }

  /** No more items; with a text, the reader gets it as an exception behind the last item. */
  end(error?: string): void {
    if (this.#ended) return;
    this.#ended = true;
    if (error !== undefined) this.#error = new HubException(error);
    this.#wake();
    this.#room();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator {
    for (;;) {
      while (this.#items.length > 0) {
        const item = this.#items.shift();
        this.#room();
        yield item;
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
