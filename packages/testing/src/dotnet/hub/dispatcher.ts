import { DotnetException, errorOf, HubException } from '../exception.ts';
import type { HubCall, HubDefinition, HubMethod } from './definition.ts';
import { describe, errorTexts } from './invocation-errors.ts';
import type { Completion, HubMessage, Invocation } from './messages.ts';
import { Upload } from './upload.ts';

/** What the dispatcher needs of the connection whose calls it runs. */
export interface Caller {
  readonly definition: HubDefinition;
  readonly detailedErrors: boolean;
  /** The client's connection, for calls that end with it. */
  readonly aborted: AbortSignal;
  call(signal: AbortSignal): HubCall;
  write(message: HubMessage): void;
}

/** Runs the calls of one client (client protocols reference, sections 6.4 and 6.6). */
export class Dispatcher {
  readonly #caller: Caller;
  readonly #methods: ReadonlyMap<string, HubMethod>;
  readonly #uploads = new Map<string, Upload>();
  /** Streams that the client may cancel, by invocation id. */
  readonly #streams = new Map<string, AbortController>();

  constructor(caller: Caller) {
    this.#caller = caller;
    const methods = Object.entries(caller.definition.methods);
    this.#methods = new Map(methods.map(([name, method]) => [name.toLowerCase(), method]));
  }

  /** Streams and calls with uploads never hold up what comes behind them. */
  static counts({ type, streamIds = [] }: Invocation): boolean {
    return type === 1 && streamIds.length === 0;
  }

  /** Settles when the call has been answered; never rejects. */
  async invoke(message: Invocation): Promise<void> {
    const { target, invocationId, type } = message;
    const method = this.#methods.get(target.toLowerCase());
    const refusal = method === undefined ? noMethod(target) : this.#refusal(message, method);
    if (method === undefined || refusal !== undefined) {
      return this.#complete(invocationId, { error: refusal! });
    }
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, this.#caller.aborted]);
    if (type === 4) this.#streams.set(invocationId!, abort);
    const uploads = (message.streamIds ?? []).map((id) => this.#open(id));
    try {
      const args = [...message.arguments, ...uploads] as never[];
      const result = await method.run(this.#caller.call(signal), ...args);
      if (type === 1) this.#complete(invocationId, { result: result ?? null });
      else await this.#stream(invocationId!, result as AsyncIterable<unknown>, signal);
    } catch (error) {
      const base = errorTexts.threw(target);
      this.#complete(invocationId, { error: this.#describe(base, errorOf(error)) });
    } finally {
      for (const id of message.streamIds ?? []) this.#close(id, undefined);
      if (type === 4) this.#streams.delete(invocationId!);
    }
  }

  /** Resolves when the item has room; what no method reads is dropped. */
  async item(streamId: string, item: unknown): Promise<void> {
    await this.#uploads.get(streamId)?.push(item);
  }

  /** The end of an upload; false when it is none. */
  uploadEnded({ invocationId, error }: Completion): boolean {
    return this.#close(invocationId, error);
  }

  cancel(invocationId: string): void {
    this.#streams.get(invocationId)?.abort();
  }

  /** The connection has ended: nothing more comes for anyone. */
  end(): void {
    for (const id of this.#uploads.keys()) this.#close(id, 'The underlying connection was closed.');
  }

  #refusal(
    { type, target, streamIds = [], ...call }: Invocation,
    method: HubMethod,
  ): string | undefined {
    if (method.streams !== (type === 4)) {
      return method.streams ? errorTexts.streamingMethod(target) : errorTexts.plainMethod(target);
    }
    if (streamIds.length !== method.uploads) {
      const error = new HubException(errorTexts.uploadCount(streamIds.length, method.uploads));
      return this.#describe(errorTexts.threw(target), error);
    }
    const given = call.arguments.length;
    const expected = Math.max(0, method.run.length - 1 - method.uploads);
    if (given === expected) return undefined;
    const text = errorTexts.argumentCount(given, expected);
    const error = new DotnetException('InvalidDataException', text);
    return this.#describe(errorTexts.notBound(target), error);
  }

  async #stream(id: string, items: AsyncIterable<unknown>, signal: AbortSignal): Promise<void> {
    try {
      for await (const item of items) {
        if (signal.aborted) break;
        this.#caller.write({ type: 2, invocationId: id, item });
      }
      this.#complete(id, {});
    } catch (error) {
      this.#complete(id, { error: this.#describe(errorTexts.stream, errorOf(error)) });
    }
  }

  #open(streamId: string): Upload {
    const upload = new Upload();
    this.#uploads.set(streamId, upload);
    return upload;
  }

  #close(streamId: string, error: string | undefined): boolean {
    this.#uploads.get(streamId)?.end(error);
    return this.#uploads.delete(streamId);
  }

  #describe(base: string, error: Error): string {
    return describe(base, error, this.#caller.detailedErrors);
  }

  #complete(invocationId: string | undefined, outcome: { result?: unknown; error?: string }): void {
    if (invocationId !== undefined) this.#caller.write({ type: 3, invocationId, ...outcome });
  }
}

function noMethod(target: string): string {
  return `${errorTexts.notBound(target)} HubException: Method does not exist.`;
}
