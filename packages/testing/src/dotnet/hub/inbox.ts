import { ProtocolError, RecordBuffer } from '@trunkline/protocol';

import { DotnetException, errorOf } from '../exception.ts';
import type { HubMessage, HubProtocol } from './messages.ts';

/** A message with its bytes, or what is wrong where the next one should be. */
export type Received = { readonly message: HubMessage; readonly raw: Uint8Array } | Error;

/** Cuts a client's bytes into hub messages. */
export class Inbox {
  readonly #protocol: HubProtocol;
  readonly #records: RecordBuffer;
  readonly #waiting: Received[] = [];
  #failed = false;
  #ended = false;
  #wake = (): void => {};

  constructor(protocol: HubProtocol, limit: number) {
    this.#protocol = protocol;
    this.#records = new RecordBuffer(protocol.binary, limit);
  }

  /** Whether whole messages came with these bytes. */
  push(bytes: Uint8Array): boolean {
    const before = this.#waiting.length;
    try {
      if (!this.#failed) this.#records.push(bytes, (...record) => this.#take(...record));
    } catch (error) {
      this.#failed = true;
      this.#waiting.push(invalidData(errorOf(error)));
    }
    this.#wake();
    return this.#waiting.length > before;
  }

  /** The next one, or undefined once it has ended. */
  async next(): Promise<Received | undefined> {
    while (this.#waiting.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#ended ? undefined : this.#waiting.shift();
  }

  /** What waits is of no interest any more. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  #take(bytes: Uint8Array, start: number, end: number): void {
    const message = this.#protocol.decode(bytes, start, end);
    if (message !== undefined) {
      this.#waiting.push({ message, raw: Uint8Array.from(bytes.subarray(start, end)) });
    }
  }
}

function invalidData(error: Error): Error {
  if (!(error instanceof ProtocolError)) return error;
  return new DotnetException('InvalidDataException', error.message);
}
