import type { MessageFromService } from '@trunkline/protocol';
import { decodeServiceMessage, frameBodyStart, RecordBuffer } from '@trunkline/protocol';

/** What the length prefix can say: the package has no smaller limit (section 5.1). */
const LIMIT = 0x7fffffff + 5;

/**
 * Cuts the service's bytes into messages. A malformed one is dropped, and those behind it wait until
 * more bytes come (service protocol reference, section 5.4).
 */
export class FrameQueue {
  readonly #frames = new RecordBuffer(true, LIMIT);
  #waiting: Uint8Array[] = [];

  push(bytes: Uint8Array): void {
    this.#frames.push(bytes, (chunk, start, end) => {
      this.#waiting.push(chunk.subarray(frameBodyStart(chunk, start), end));
    });
  }

  /**
   * Hands on every message that has come whole; undefined stands for one of an unknown type. Throws
   * what is wrong with a malformed one, and what `take` throws.
   */
  drain(take: (message: MessageFromService | undefined) => void): void {
    while (this.#waiting.length > 0) {
      const body = this.#waiting.shift()!;
      take(decodeServiceMessage(body) as MessageFromService | undefined);
    }
  }
}
