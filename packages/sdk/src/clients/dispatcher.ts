import { DataType, HubMessageType } from '@trunkline/protocol';

import {
  clientErrorText,
  HubError,
  InvalidDataException,
  OperationCanceledException,
} from '../errors.ts';
import type { HubMethod } from '../hubs/method-table.ts';
import type { CompletionMessage, InvocationMessage } from '../protocols/index.ts';
import { callErrors } from './call-errors.ts';
import type { ClientConnection } from './client-connection.ts';
import { Invocation } from './invocation.ts';
import { Upload } from './upload.ts';

/**
 * What one client's hub messages set off, message by message (client protocols reference, sections
 * 6.4 to 6.6). Ordinary calls run a few at a time, by default one; streams are not counted.
 */
export class Dispatcher {
  readonly #client: ClientConnection;
  /** Calls going on, by invocation id, or by themselves where they have none. */
  #active: Map<string | Invocation, Invocation> | undefined;
  #uploads: Map<string, Upload> | undefined;
  #running = 0;
  /** Starts the call that waits for its turn; while there is one, nothing more is dispatched. */
  #startNext: (() => void) | undefined;

  constructor(client: ClientConnection) {
    this.#client = client;
  }

  /**
   * Acts on the record `bytes[start, end)`. While the promise it may return is pending, the next
   * record has to wait. Throws InvalidDataException.
   */
  dispatch(bytes: Uint8Array, start: number, end: number): Promise<void> | undefined {
    const message = this.#client.protocol!.parse(bytes, start, end);
    switch (message?.type) {
      case HubMessageType.Invocation:
      case HubMessageType.StreamInvocation:
        return this.#call(message);
      case HubMessageType.StreamItem:
        return this.#uploads?.get(message.invocationId)?.push(message.item);
      case HubMessageType.Completion:
        this.#completed(message, bytes.subarray(start, end));
        return undefined;
      case HubMessageType.CancelInvocation:
        this.#active?.get(message.invocationId)?.cancel();
        return undefined;
      case HubMessageType.Ping:
        this.#client.armTimeout();
        return undefined;
      case HubMessageType.Close:
        this.#client.closedByClient(message.error);
        return undefined;
      case undefined:
        return undefined;
    }
  }

  /** The client has gone: whatever runs is told, and nothing more is sent. */
  abandon(): void {
    const error = new OperationCanceledException('The underlying connection was closed.');
    for (const upload of this.#uploads?.values() ?? []) upload.end(error);
    this.#startNext = undefined;
    for (const invocation of this.#active?.values() ?? []) invocation.abandon();
  }

  #call(message: InvocationMessage): Promise<void> | undefined {
    const { route } = this.#client;
    const method = route.methods.get(message.target.toLowerCase());
    const refusal = this.#refusal(message, method);
    if (refusal !== undefined) {
      this.#refuse(message, refusal);
      return undefined;
    }
    const isStream = message.type === HubMessageType.StreamInvocation;
    if (isStream || message.streamIds.length > 0) {
      this.#start(message, method!, () => {});
      return undefined;
    }
    const start = () => this.#startCounted(message, method!);
    if (this.#running < route.settings.maximumParallelInvocationsPerClient) {
      start();
      return undefined;
    }
    return new Promise((resolve) => {
      this.#startNext = () => {
        start();
        resolve();
      };
    });
  }

  /** Why a call cannot start, as its client gets to read it. */
  #refusal(message: InvocationMessage, method: HubMethod | undefined): string | undefined {
    const { target, args, streamIds, invocationId, type } = message;
    if (method === undefined) return callErrors.unknownMethod(target);
    const provided = args.length + streamIds.length;
    if (provided < method.parameters) {
      const why = callErrors.argumentCount(provided, method.parameters);
      const { enableDetailedErrors } = this.#client.route.settings;
      const error = new InvalidDataException(why);
      return clientErrorText(callErrors.notBound(target), error, enableDetailedErrors);
    }
    if (invocationId !== undefined && this.#active?.has(invocationId) === true) {
      return callErrors.idInUse(invocationId);
    }
    if (type === HubMessageType.Invocation && method.streams) return callErrors.streaming(target);
    return undefined;
  }

  /** A call that nobody waits for gets no answer, not even this one. */
  #refuse({ invocationId, target }: InvocationMessage, text: string): void {
    if (invocationId === undefined) {
      this.#client.host.logger.warn(`a client's call of '${target}' was refused: ${text}`);
    } else {
      this.#client.write(this.#client.protocol!.error(invocationId, text), DataType.Invocation);
    }
  }

  #startCounted(message: InvocationMessage, method: HubMethod): void {
    let holding = true;
    this.#running++;
    this.#start(message, method, () => {
      if (!holding) return;
      holding = false;
      this.#running--;
      const startNext = this.#startNext;
      this.#startNext = undefined;
      startNext?.();
    });
  }

  #start(message: InvocationMessage, method: HubMethod, release: () => void): void {
    const client = this.#client;
    const uploads = message.streamIds.map((id) => this.#openUpload(id));
    const active = (this.#active ??= new Map<string | Invocation, Invocation>());
    const invocation = new Invocation({
      client,
      message,
      method,
      uploads,
      release,
      finished: () => {
        active.delete(message.invocationId ?? invocation);
        for (const id of message.streamIds) this.#uploads?.delete(id);
        client.host.finished();
        release();
      },
    });
    active.set(message.invocationId ?? invocation, invocation);
    client.host.started();
    invocation.start();
  }

  #openUpload(streamId: string): Upload {
    const upload = new Upload(this.#client.route.settings.streamBufferCapacity);
    this.#uploads ??= new Map();
    this.#uploads.set(streamId, upload);
    return upload;
  }

  /** Ends an upload, or answers what a server asked the client. Anything else came too late. */
  #completed(message: CompletionMessage, record: Uint8Array): void {
    const upload = this.#uploads?.get(message.invocationId);
    if (upload === undefined) {
      this.#client.host.answered(this.#client, message, record);
      return;
    }
    this.#uploads!.delete(message.invocationId);
    upload.end(message.error === undefined ? undefined : new HubError(message.error));
  }
}
