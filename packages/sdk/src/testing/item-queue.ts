import { deferred } from '../deferred.ts';

/** The answer to one call: its items as they come, then its end. For one reader. */
export class ItemQueue implements AsyncIterable<unknown> {
  /** What it ended with. */
  result: unknown;
  readonly #items: unknown[] = [];
  readonly #cancel: () => void;
  #news = deferred();
  #end: { readonly error?: Error } | undefined;

  /** `cancel` is called when the reader leaves before the end. */
  constructor(cancel: () => void) {
    this.#cancel = cancel;
  }

  add(item: unknown): void {
    this.#items.push(item);
    this.#news.resolve();
  }

  end(result: unknown): void {
    this.result = result;
    this.#end ??= {};
    this.#news.resolve();
  }

  fail(error: Error): void {
    this.#end ??= { error };
    this.#news.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator {
    try {
      for (;;) {
        while (this.#items.length > 0) yield this.#items.shift();
        if (this.#end?.error !== undefined) throw this.#end.error;
        if (this.#end !== undefined) return;
        await this.#news.promise;
        this.#news = deferred();
      }
    } finally {
      this.#cancel();
    }
  }
}
