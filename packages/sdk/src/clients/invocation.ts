import { DataType, HubMessageType } from '@trunkline/protocol';

import { clientErrorText, HubError } from '../errors.ts';
import { bindHub } from '../hubs/hub.ts';
import type { HubMethod } from '../hubs/method-table.ts';
import { LazySignal } from '../lazy-signal.ts';
import type { InvocationMessage } from '../protocols/index.ts';
import type { ClientConnection } from './client-connection.ts';
import { callErrors } from './call-errors.ts';
import { ClientScope } from './scope.ts';
import type { StreamSink, StreamSource } from './stream-source.ts';
import { abandon, pump, streamSource } from './stream-source.ts';
import type { Upload } from './upload.ts';

export interface InvocationOptions {
  readonly client: ClientConnection;
  readonly message: InvocationMessage;
  readonly method: HubMethod;
  readonly uploads: readonly Upload[];
  /** Lets the client's next call start: this one is over, or waits for an answer of the client. */
  readonly release: () => void;
  /** The call is over: nothing of it is sent after this. */
  readonly finished: () => void;
}

/** One call of a hub method, from a fresh hub object to its completion. */
export class Invocation implements StreamSink {
  readonly #options: InvocationOptions;
  readonly #aborted = new LazySignal();
  #source: StreamSource | undefined;
  #over = false;

  constructor(options: InvocationOptions) {
    this.#options = options;
  }

  get closed(): boolean {
    return this.#over;
  }

  /** Runs the method up to its first wait; what it throws becomes the call's error. */
  start(): void {
    const { client, message, method, uploads, release } = this.#options;
    let result: unknown;
    try {
      const hub = new client.route.hubClass();
      bindHub(hub, new ClientScope(client, this.#aborted, release));
      const args = uploads.length === 0 ? message.args : [...message.args, ...uploads];
      result = Reflect.apply(method.run, hub, args);
    } catch (error) {
      this.#threw(error);
      return;
    }
    if (isThenable(result)) {
      result.then(
        (value) => this.#returned(value),
        (error: unknown) => this.#threw(error),
      );
    } else {
      this.#returned(result);
    }
  }

  /** The client wants no more of it. An ordinary call still owes its answer, a stream only its end. */
  cancel(): void {
    this.#aborted.abort();
    if (this.#source !== undefined) this.#end();
  }

  /** The client has gone. */
  abandon(): void {
    this.#aborted.abort();
    this.#finish();
  }

  item(value: unknown): void {
    const { client, message } = this.#options;
    this.#write(client.protocol!.streamItem(message.invocationId!, value));
  }

  room(): Promise<void> | undefined {
    const { trunk } = this.#options.client;
    return trunk.full ? trunk.drained() : undefined;
  }

  #returned(value: unknown): void {
    const { message, method } = this.#options;
    const source = streamSource(value);
    if (message.type === HubMessageType.Invocation) {
      if (source === undefined) this.#answer(value);
      else this.#refuse(source, callErrors.streaming(message.target));
    } else if (source !== undefined) {
      void this.#stream(source);
    } else {
      const nothing = value === null ? callErrors.noStream(method.name) : undefined;
      this.#complete(nothing ?? callErrors.notStreaming(message.target));
    }
  }

  #answer(value: unknown): void {
    const { client, message } = this.#options;
    if (!this.#over && message.invocationId !== undefined) {
      try {
        this.#write(client.protocol!.result(message.invocationId, value));
      } catch (error) {
        this.#threw(error);
        return;
      }
    }
    this.#finish();
  }

  #threw(error: unknown): void {
    this.#report(error);
    this.#complete(this.#errorText(callErrors.threw(this.#options.message.target), error));
  }

  #refuse(source: StreamSource, text: string): void {
    abandon(source);
    this.#complete(text);
  }

  async #stream(source: StreamSource): Promise<void> {
    this.#source = source;
    if (this.#aborted.aborted) this.#end();
    try {
      await pump(source, this);
      this.#end();
    } catch (error) {
      if (this.#over) return;
      this.#report(error);
      this.#complete(this.#errorText(callErrors.streamThrew, error));
    }
  }

  /** The good end of a stream. */
  #end(): void {
    const { client, message } = this.#options;
    if (this.#over) return;
    this.#write(client.protocol!.end(message.invocationId!));
    this.#finish();
  }

  #complete(text: string): void {
    const { client, message } = this.#options;
    if (!this.#over && message.invocationId !== undefined) {
      this.#write(client.protocol!.error(message.invocationId, text));
    }
    this.#finish();
  }

  #write(bytes: Uint8Array): void {
    this.#options.client.write(bytes, DataType.Invocation);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#source !== undefined) abandon(this.#source);
    for (const upload of this.#options.uploads) upload.close();
    this.#options.finished();
  }

  #errorText(base: string, error: unknown): string {
    return clientErrorText(base, error, this.#options.client.route.settings.enableDetailedErrors);
  }

  /** A HubError is meant for the client; anything else is for whoever looks after the app. */
  #report(error: unknown): void {
    if (error instanceof HubError) return;
    const { client, method } = this.#options;
    client.host.logger.error(
      `hub method ${client.route.hubClass.name}.${method.name} threw`,
      error,
    );
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
