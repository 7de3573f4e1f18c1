import { DataType } from '@trunkline/protocol';

import { clientErrorText, HubError, isCancellation } from '../errors.ts';
import { bindHub } from '../hubs/hub.ts';
import type { Hub } from '../hubs/hub.ts';
import type { HubMethod } from '../hubs/method-table.ts';
import { invokeThrough } from '../hubs/filters.ts';
import type { ItemQueue } from '../item-queue.ts';
import { LazySignal } from '../lazy-signal.ts';
import type { InvocationMessage } from '../protocols/index.ts';
import { traceCall } from '../telemetry/tracing.ts';
import type { CallTrace } from '../telemetry/tracing.ts';
import type { ClientConnection } from './client-connection.ts';
import { callErrors } from './call-errors.ts';
import { ClientScope } from './scope.ts';
import type { StreamSink, StreamSource } from './stream-source.ts';
import { abandon, pump, streamSource } from './stream-source.ts';

export interface InvocationOptions {
  readonly client: ClientConnection;
  readonly message: InvocationMessage;
  readonly method: HubMethod;
  readonly uploads: readonly ItemQueue[];
  /** Lets the client's next call start: this one is over, or waits for an answer of the client. */
  readonly release: () => void;
  /** The call is over: nothing of it is sent after this. */
  readonly finished: () => void;
  /** Nothing of it runs any more either; a generator that was cancelled may take its time. */
  readonly ended: () => void;
}

/** One call of a hub method, from a fresh hub object to its completion. */
export class Invocation implements StreamSink {
  readonly #options: InvocationOptions;
  readonly #aborted = new LazySignal();
  #trace: CallTrace | undefined;
  #source: StreamSource | undefined;
  #sourceOver = false;
  /** The method has answered, if only with a stream. */
  #answered = false;
  /** Nothing more is sent. */
  #over = false;

  constructor(options: InvocationOptions) {
    this.#options = options;
  }

  get closed(): boolean {
    return this.#over;
  }

  /** Runs the method up to its first wait; what it throws becomes the call's error. */
  start(): void {
    const { client, message, method } = this.#options;
    client.host.started();
    client.host.counts.calls++;
    this.#trace = traceCall(client.host.hub, method.name, message.headers);
    if (this.#trace === undefined) this.#begin();
    else this.#trace.run(() => this.#begin());
  }

  #begin(): void {
    let result: unknown;
    try {
      result = this.#run();
      if (isThenable(result)) {
        Promise.resolve(result).then(
          (value) => this.#settle(value),
          (error: unknown) => this.#fail(error),
        );
        return;
      }
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#settle(result);
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
    const bytes = client.protocol!.streamItem(message.invocationId!, value);
    client.streams.wrote(bytes.length);
    this.#write(bytes);
  }

  room(): Promise<void> | undefined {
    return this.#options.client.streams.room();
  }

  #run(): unknown {
    const { client, message, method, uploads, release } = this.#options;
    const { create, filters } = client.route;
    const hub = create();
    bindHub(hub, new ClientScope(client, this.#aborted, release));
    const args = uploads.length === 0 ? message.args : [...message.args, ...uploads];
    if (filters.invoke.length === 0) return Reflect.apply(method.run, hub, args);
    const invocation = { hub: hub as Hub, context: client.context, method: method.name, args };
    return invokeThrough(filters.invoke, invocation, (given) =>
      Reflect.apply(method.run, hub, given),
    );
  }

  /** The method has answered. What goes wrong with its answer is its own error too. */
  #settle(value: unknown): void {
    try {
      this.#returned(value);
    } catch (error) {
      this.#threw(error);
    }
    this.#methodEnded();
  }

  #fail(error: unknown): void {
    this.#threw(error);
    this.#methodEnded();
  }

  #methodEnded(): void {
    this.#answered = true;
    if (this.#over) this.#options.client.host.finished();
    if (this.#source === undefined) this.#options.ended();
  }

  #returned(value: unknown): void {
    const { message, method } = this.#options;
    const source = streamSource(value);
    if (method.streams) {
      if (source === undefined) this.#complete(callErrors.noStream(method.name));
      else void this.#stream(source);
    } else if (source === undefined) {
      this.#answer(value);
    } else {
      void abandon(source);
      this.#reportUndeclared();
      this.#complete(callErrors.streaming(message.target));
    }
  }

  #answer(value: unknown): void {
    const { client, message } = this.#options;
    if (!this.#over && message.invocationId !== undefined) {
      this.#write(client.protocol!.result(message.invocationId, value));
    }
    this.#finish();
  }

  #threw(error: unknown): void {
    this.#report(error);
    this.#complete(this.#errorText(callErrors.threw(this.#options.message.target), error));
  }

  async #stream(source: StreamSource): Promise<void> {
    this.#source = source;
    if (this.#over) this.#abandon(source);
    else if (this.#aborted.aborted) this.#end();
    try {
      await pump(source, this);
      this.#end();
    } catch (error) {
      if (this.#over) return;
      this.#report(error);
      this.#complete(this.#errorText(callErrors.streamThrew, error));
    } finally {
      this.#sourceEnded();
    }
  }

  /** A source that knows how to end may never answer what it was asked before. */
  #abandon(source: StreamSource): void {
    void abandon(source).then(() => this.#sourceEnded());
  }

  #sourceEnded(): void {
    if (this.#sourceOver) return;
    this.#sourceOver = true;
    this.#options.ended();
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
    this.#trace?.end();
    if (this.#source !== undefined) this.#abandon(this.#source);
    for (const upload of this.#options.uploads) upload.close();
    this.#options.finished();
    // A stopping server waits for the methods of clients that have gone, too.
    if (this.#answered) this.#options.client.host.finished();
  }

  #errorText(base: string, error: unknown): string {
    return clientErrorText(base, error, this.#options.client.route.settings.enableDetailedErrors);
  }

  #reportUndeclared(): void {
    const { client, method } = this.#options;
    const { name } = client.route.hubClass;
    client.host.logger.error(
      `hub method ${name}.${method.name} answered a stream, and is no generator function: say streams: true of it in ${name}'s static methods`,
    );
  }

  /**
   * A HubError is meant for the client; anything else is for whoever looks after the app, unless it
   * is what the method was told to do.
   */
  #report(error: unknown): void {
    if (this.#aborted.aborted && isCancellation(error)) return;
    const { client, method } = this.#options;
    client.host.counts.failures++;
    this.#trace?.failed(error);
    if (error instanceof HubError) return;
    client.host.logger.error(
      `hub method ${client.route.hubClass.name}.${method.name} threw`,
      error,
    );
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
