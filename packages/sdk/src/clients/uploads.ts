import { HubError, OperationCanceledException } from '../errors.ts';
import type { Schema } from '../hubs/hub-methods.ts';
import { ItemQueue } from '../item-queue.ts';
import type { Tally } from '../item-queue.ts';
import type { HubSettings } from '../options.ts';
import type { CompletionMessage } from '../protocols/index.ts';
import { CheckedUpload, itemNotBound } from './checked-upload.ts';

/** The streams that one client uploads at a time, by their ids (client protocols reference, 6.6). */
export class Uploads {
  readonly #settings: HubSettings;
  readonly #tally: Tally;
  readonly #open = new Map<string, ItemQueue>();
  /** The one that an item has come for last. */
  #last: ItemQueue | undefined;

  /** `tally` counts what no method has read yet. */
  constructor(settings: HubSettings, tally: Tally) {
    this.#settings = settings;
    this.#tally = tally;
  }

  /**
   * One for each id, in their order; `schemas` are those of their items, as far as there are any, and
   * `refused` is told of items that do not fit.
   */
  open(
    ids: readonly string[],
    schemas: readonly Schema[] = [],
    refused: (why: string) => void = () => {},
  ): readonly ItemQueue[] {
    return ids.map((id, index) => {
      const upload = this.#create(schemas[index], refused);
      this.#open.set(id, upload);
      return upload;
    });
  }

  /** As `ItemQueue.push`. An item of a stream that is none any more came too late. */
  push(id: string, item: unknown): Promise<void> | undefined {
    this.#last = this.#open.get(id);
    return this.#last?.push(item);
  }

  /** Pending while the client's next record has to wait, for want of room in one of them. */
  room(): Promise<void> | undefined {
    return this.#last?.room();
  }

  /** An item came that cannot be read: the reader gets what is left first, and then the error. */
  unreadable(id: string, fault: Error): void {
    this.#open.get(id)?.end(itemNotBound(fault, this.#settings.enableDetailedErrors));
  }

  /** Ends one at the client's wish. False where that is no upload. */
  complete({ invocationId, error }: CompletionMessage): boolean {
    const upload = this.#open.get(invocationId);
    upload?.end(error === undefined ? undefined : new HubError(error));
    return this.#open.delete(invocationId);
  }

  /** Their method has ended. */
  forget(ids: readonly string[]): void {
    for (const id of ids) this.#open.delete(id);
  }

  /** Their client has gone. */
  abandon(): void {
    const error = new OperationCanceledException('The underlying connection was closed.');
    for (const upload of this.#open.values()) upload.end(error);
  }

  #create(schema: Schema | undefined, refused: (why: string) => void): ItemQueue {
    const { streamBufferCapacity: capacity, enableDetailedErrors: detailed } = this.#settings;
    const tally = this.#tally;
    return schema === undefined
      ? new ItemQueue(capacity, tally)
      : new CheckedUpload({ capacity, tally, schema, detailed, refused });
  }
}
