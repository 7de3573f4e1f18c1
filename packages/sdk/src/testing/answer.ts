import { ItemQueue } from '../item-queue.ts';

/** The answer to one call: its items as they come, and what it ends with. */
export class Answer extends ItemQueue {
  /** What it ended with. */
  result: unknown;
  readonly #cancel: () => void;

  /** `cancel` is called when the reader leaves before the end. */
  constructor(cancel: () => void) {
    super(Infinity);
    this.#cancel = cancel;
  }

  complete(result: unknown): void {
    this.result = result;
    this.end();
  }

  override return(): Promise<IteratorResult<unknown>> {
    this.#cancel();
    return super.return();
  }
}
