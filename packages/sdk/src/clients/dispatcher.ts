import { DataType, HubMessageType } from '@trunkline/protocol';

import { clientErrorText, InvalidDataException } from '../errors.ts';
import type { HubMethod, MethodChecks } from '../hubs/method-table.ts';
import type { ItemQueue } from '../item-queue.ts';
import type {
  CompletionMessage,
  InvocationMessage,
  StreamItemMessage,
} from '../protocols/index.ts';
import { checkCall } from './call-checks.ts';
import { callErrors } from './call-errors.ts';
import type { ClientConnection } from './client-connection.ts';
import { Invocation } from './invocation.ts';
import { RECORD_OVERHEAD, TOO_MUCH_PENDING } from './pending-bytes.ts';
import { Uploads } from './uploads.ts';
import { weightOf } from './weight.ts';

/**
 * What one client's hub messages set off, message by message (client protocols reference, sections
 * 6.4 to 6.6). Ordinary calls run a few at a time, by default one; streams run beside them, and
 * there is a bound for all together.
 */
export class Dispatcher {
  readonly #client: ClientConnection;
  /** Calls going on, by invocation id, or by themselves where they have none. */
  #active: Map<string | Invocation, Invocation> | undefined;
  #uploads: Uploads | undefined;
  /** Ordinary calls that hold up the next one. */
  #running = 0;
  /** Calls of every kind of which something still runs, those that have been cancelled too. */
  #unended = 0;
  /** Starts the call that waits for its turn; while there is one, nothing more is dispatched. */
  #startNext: (() => void) | undefined;
  #abandoned = false;
  /** Bytes of the record that is dispatched; the next one waits for what it waits for. */
  #size = 0;
  /** What of it is counted while it waits. */
  #held = 0;

  constructor(client: ClientConnection) {
    this.#client = client;
  }

  /**
   * Acts on the record `bytes[start, end)`. While the promise it may return is pending, the next
   * record has to wait. Throws InvalidDataException.
   */
  dispatch(bytes: Uint8Array, start: number, end: number): Promise<void> | undefined {
    this.#size = end - start + RECORD_OVERHEAD;
    return this.#act(bytes, start, end)?.then(() => this.#letGo());
  }

  /** Pending while no record should be dispatched, for want of room for its items. */
  room(): Promise<void> | undefined {
    return this.#uploads?.room();
  }

  /** The client has gone: whatever runs is told, and nothing more is sent. */
  abandon(): void {
    this.#abandoned = true;
    this.#uploads?.abandon();
    this.#startNext = undefined;
    for (const invocation of this.#active?.values() ?? []) invocation.abandon();
  }

  /** A record that waits is as much in the way as those behind it. */
  #hold(values: unknown): void {
    const weight = this.#weight(values);
    if (!this.#client.pending.hold(weight)) throw new InvalidDataException(TOO_MUCH_PENDING);
    this.#held = weight;
  }

  #letGo(): void {
    if (this.#held > 0) this.#client.pending.letGo(this.#held);
    this.#held = 0;
  }

  /** What the record takes with the values that were read from it; a schema makes what it likes. */
  #weight(values: unknown): number {
    return this.#held === 0 ? this.#size + weightOf(values) : this.#held;
  }

  #act(bytes: Uint8Array, start: number, end: number): Promise<void> | undefined {
    const message = this.#client.protocol!.parse(bytes, start, end);
    switch (message?.type) {
      case HubMessageType.Invocation:
      case HubMessageType.StreamInvocation:
        return this.#call(message);
      case HubMessageType.StreamItem:
        return this.#item(message);
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

  #call(message: InvocationMessage): Promise<void> | undefined {
    const method = this.#client.route.methods.get(message.target.toLowerCase());
    if (method === undefined) {
      this.#refuse(message, callErrors.unknownMethod(message.target));
      return undefined;
    }
    const error = message.fault ?? countError(message, method);
    if (message.fault !== undefined) this.#client.host.refused(method.name, message.fault.message);
    if (error !== undefined) {
      this.#refuse(message, this.#notBound(message, error));
      return undefined;
    }
    if (method.checks === undefined) return this.#admit(message, method);
    this.#hold(message.args);
    return this.#check(message, method, method.checks);
  }

  /** The client's next record waits for the checks, as it does in ASP.NET Core. */
  async #check(message: InvocationMessage, method: HubMethod, checks: MethodChecks): Promise<void> {
    const outcome = await checkCall(this.#client, message, method.name, checks);
    if (this.#abandoned) return;
    if ('refusal' in outcome) this.#refuse(message, outcome.refusal);
    else await this.#admit({ ...message, args: outcome.args }, method);
  }

  #notBound({ target }: InvocationMessage, error: InvalidDataException): string {
    const { enableDetailedErrors } = this.#client.route.settings;
    return clientErrorText(callErrors.notBound(target), error, enableDetailedErrors);
  }

  #item({ invocationId, item, fault }: StreamItemMessage): Promise<void> | undefined {
    if (fault !== undefined) {
      this.#uploads?.unreadable(invocationId, fault);
      return undefined;
    }
    const step = this.#uploads?.push(invocationId, item);
    if (step !== undefined) this.#hold(item);
    return step;
  }

  #admit(message: InvocationMessage, method: HubMethod): Promise<void> | undefined {
    const refusal = this.#refusal(message, method);
    if (refusal !== undefined) {
      this.#refuse(message, refusal);
      return undefined;
    }
    if (method.streams || method.uploads > 0) {
      this.#start(message, method, () => {});
      return undefined;
    }
    const start = () => this.#startCounted(message, method);
    if (this.#running < this.#client.route.settings.maximumParallelInvocationsPerClient) {
      start();
      return undefined;
    }
    if (this.#held === 0) this.#hold(message.args);
    return new Promise((resolve) => {
      this.#startNext = () => {
        start();
        resolve();
      };
    });
  }

  /**
   * Why a call cannot start, as its client gets to read it. Nothing of the call may be there before:
   * it says what to make, and how many uploads.
   */
  #refusal(message: InvocationMessage, method: HubMethod): string | undefined {
    const { target, streamIds, invocationId, type } = message;
    if (invocationId !== undefined && this.#active?.has(invocationId) === true) {
      return callErrors.idInUse(invocationId);
    }
    const asksForStream = type === HubMessageType.StreamInvocation;
    if (asksForStream !== method.streams) {
      return asksForStream ? callErrors.notStreaming(target) : callErrors.streaming(target);
    }
    if (streamIds.length !== method.uploads) {
      return callErrors.uploadCount(target, streamIds.length, method.uploads);
    }
    const { maximumRunningCallsPerClient: limit } = this.#client.route.settings;
    return this.#unended < limit ? undefined : callErrors.tooManyCalls(target, limit);
  }

  /** A call that nobody waits for gets no answer, not even this one. */
  #refuse({ invocationId }: InvocationMessage, text: string): void {
    if (invocationId === undefined) {
      this.#client.host.unanswered(text);
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
    const { streamIds } = message;
    const uploads = method.uploads === 0 ? [] : this.#openUploads(streamIds, method);
    const active = (this.#active ??= new Map<string | Invocation, Invocation>());
    const held = this.#held;
    let counted = 0;
    let ended = false;
    this.#letGo();
    this.#unended++;
    const invocation = new Invocation({
      client,
      message,
      method,
      uploads,
      release,
      finished: () => {
        active.delete(message.invocationId ?? invocation);
        this.#uploads?.forget(streamIds);
        release();
      },
      ended: () => {
        ended = true;
        this.#unended--;
        client.pending.ran(counted);
      },
    });
    active.set(message.invocationId ?? invocation, invocation);
    invocation.start();
    // What it was called with stays as long as something of it runs.
    if (ended) return;
    counted = held === 0 ? this.#weight(message.args) : held;
    if (!client.pending.run(counted)) client.makeRoom();
  }

  #openUploads(streamIds: readonly string[], method: HubMethod): readonly ItemQueue[] {
    const { host, pending, route } = this.#client;
    this.#uploads ??= new Uploads(route.settings, {
      take: (item) => {
        const weight = this.#weight(item);
        // It may have been held for its schema.
        this.#letGo();
        pending.take(weight);
        return weight;
      },
      give: (bytes) => pending.give(bytes),
    });
    const refused = (why: string) => host.refused(method.name, why);
    return this.#uploads.open(streamIds, method.uploadSchemas, refused);
  }

  /** Ends an upload, or answers what a server asked the client. Anything else came too late. */
  #completed(message: CompletionMessage, record: Uint8Array): void {
    if (this.#uploads?.complete(message) === true) return;
    this.#client.host.answered(this.#client, message, record);
  }
}

/** What is wrong with a call of too few ordinary arguments, or too many. */
function countError(
  { args }: InvocationMessage,
  { fewest, most }: HubMethod,
): InvalidDataException | undefined {
  if (args.length >= fewest && args.length <= most) return undefined;
  const expected = args.length < fewest ? fewest : most;
  return new InvalidDataException(callErrors.argumentCount(args.length, expected));
}
