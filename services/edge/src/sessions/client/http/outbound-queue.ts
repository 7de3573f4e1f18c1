/** Hub messages that wait for a client, bounded in bytes as a WebSocket's queue is. */
export class OutboundQueue {
  readonly #limit: number;
  #messages: Uint8Array[] = [];
  bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Keeps a copy. False, and not kept, when more than the limit waits already; `elsewhere`: bytes
   * that wait for the same client outside.
   */
  add(message: Uint8Array, elsewhere: number): boolean {
    if (this.bytes + elsewhere > this.#limit) return false;
    this.#messages.push(new Uint8Array(message));
    this.bytes += message.length;
    return true;
  }

  /** All of them as one; the queue is empty then. */
  take(): Uint8Array {
    const messages = this.#messages;
    this.clear();
    return messages.length === 1 ? messages[0]! : Buffer.concat(messages);
  }

  clear(): void {
    this.#messages = [];
    this.bytes = 0;
  }
}
