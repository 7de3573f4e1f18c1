import { Mailbox } from '@trunkline/testing';

export interface HubMessage {
  readonly type: number;
  readonly target?: string;
  readonly arguments?: readonly unknown[];
  readonly invocationId?: string;
  readonly result?: unknown;
  readonly error?: string;
  readonly allowReconnect?: boolean;
}

/** `{"protocol":"json","version":1}` and its record separator. */
export const JSON_HANDSHAKE = `{"protocol":"json","version":1}\x1e`;

/** A client of the JSON hub protocol that shows everything it hears, and in which order. */
export abstract class JsonClient {
  /** Every hub message after the handshake response. */
  readonly received = new Mailbox<HubMessage>();
  readonly #handshake = new Mailbox<{ error?: string }>();
  #calls = 0;

  /** Sends bytes as they are. */
  abstract write(text: string | Uint8Array): void;

  /** Rejects with what the edge or the hub says when it refuses. */
  async shakeHands(): Promise<void> {
    this.write(JSON_HANDSHAKE);
    const { error } = await this.handshake();
    if (error !== undefined) throw new Error(error);
  }

  /** The hub's answer to the handshake request. */
  handshake(): Promise<{ error?: string }> {
    return this.#handshake.first(() => true, 'the handshake response');
  }

  send(target: string, ...values: unknown[]): void {
    this.write(`${JSON.stringify({ type: 1, target, arguments: values })}\x1e`);
  }

  /** Calls a method and gives its result. */
  async call(target: string, ...values: unknown[]): Promise<unknown> {
    const invocationId = `${this.#calls++}`;
    this.write(`${JSON.stringify({ type: 1, target, arguments: values, invocationId })}\x1e`);
    const completion = await this.received.first(
      (message) => message.type === 3 && message.invocationId === invocationId,
      `the completion of ${target}`,
    );
    if (completion.error !== undefined) throw new Error(completion.error);
    return completion.result;
  }

  /** The hub's invocation of `target`, come or to come. */
  invocation(target: string): Promise<HubMessage> {
    return this.received.first(
      (message) => message.target === target,
      `an invocation of ${target}`,
    );
  }

  /** What comes at once holds whole records, one or more. */
  protected take(text: string): void {
    const records = text.split('\x1e');
    if (records.pop() !== '') throw new Error('a message that ends inside a record');
    for (const record of records) {
      if (this.#handshake.all.length > 0) this.received.add(JSON.parse(record) as HubMessage);
      else this.#handshake.add(JSON.parse(record) as { error?: string });
    }
  }

  /** Nothing more will come: whoever waits hears `why`. */
  protected end(why: string): void {
    this.#handshake.end(why);
    this.received.end(why);
  }
}
