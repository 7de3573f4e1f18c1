import { clientErrorText, HubError, InvalidDataException } from '../errors.ts';
import type { Schema } from '../hubs/hub-methods.ts';
import { ItemQueue } from '../item-queue.ts';
import type { Tally } from '../item-queue.ts';
import { validated } from './call-checks.ts';
import { callErrors } from './call-errors.ts';

export interface CheckedUploadOptions {
  readonly capacity: number;
  readonly tally: Tally;
  readonly schema: Schema;
  /** Whether the reader's error says what was wrong. */
  readonly detailed: boolean;
  /** Told what was wrong with an item. */
  readonly refused: (why: string) => void;
}

/** An upload whose items are held against a schema: the first that does not fit ends the stream. */
export class CheckedUpload extends ItemQueue {
  readonly #schema: Schema;
  readonly #detailed: boolean;
  readonly #refused: (why: string) => void;

  constructor({ capacity, tally, schema, detailed, refused }: CheckedUploadOptions) {
    super(capacity, tally);
    this.#schema = schema;
    this.#detailed = detailed;
    this.#refused = refused;
  }

  override async push(item: unknown): Promise<void> {
    const checked = await this.#check(item);
    if (checked !== undefined) await super.push(checked.value);
  }

  async #check(item: unknown): Promise<{ readonly value: unknown } | undefined> {
    try {
      const result = await validated(this.#schema, item);
      if ('value' in result) return result;
      this.#fail(new InvalidDataException(`Item${result.issues}`));
    } catch (error) {
      this.#fail(error);
    }
    return undefined;
  }

  #fail(error: unknown): void {
    if (error instanceof InvalidDataException) this.#refused(error.message);
    this.end(itemNotBound(error, this.#detailed));
  }
}

/** For the reader of an upload an item that is none is the client's error, as in ASP.NET Core. */
export function itemNotBound(error: unknown, detailed: boolean): HubError {
  return new HubError(clientErrorText(callErrors.itemNotBound, error, detailed));
}
