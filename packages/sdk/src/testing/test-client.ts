import { encodeHandshakeRequest, HubMessageType, RecordBuffer } from '@trunkline/protocol';

import { deferred } from '../deferred.ts';
import { errorMessage, HubError } from '../errors.ts';
import type { StreamItem } from '../hubs/hub-contract.ts';
import type { Methods, NamesOf } from '../hubs/typed-connection.ts';
import { utf8 } from '../utf8.ts';
import { Answer } from './answer.ts';
import type { Member } from './memory-hub.ts';
import type { MemoryService } from './memory-service.ts';

/** What the hub called on a client: as JSON carries it, so that a Date is a text. */
export interface ReceivedMessage {
  readonly method: string;
  readonly args: readonly unknown[];
}

/** How a connection ended. */
export interface ClosedConnection {
  /** What the client was told; undefined where it was told nothing, or left by itself. */
  readonly error: string | undefined;
  /** Whether a client with automatic reconnection would come back. */
  readonly allowReconnect: boolean;
}

/** What a client may be given to answer with. */
export type ClientHandler = (...args: never[]) => unknown;

interface HubRecord {
  readonly type?: number;
  readonly invocationId?: string;
  readonly target?: string;
  readonly arguments?: readonly unknown[];
  readonly item?: unknown;
  readonly result?: unknown;
  readonly error?: string;
  readonly allowReconnect?: boolean;
}

type Names<Class, Streams extends boolean> = NamesOf<Class, Streams>;
type MethodOf<Class, Name extends keyof Methods<Class>> = Methods<Class>[Name];

const MAX_RECORD_BYTES = 2 ** 30;

/** A client of a hub under test. It speaks the hub protocol in JSON, as one in a browser does. */
export class TestClient<Class> implements Member {
  readonly id: string;
  readonly userId: string | undefined;
  /** Everything that the hub has called on this client, in order. */
  readonly received: ReceivedMessage[] = [];
  readonly #service: MemoryService;
  readonly #records = new RecordBuffer(false, MAX_RECORD_BYTES);
  readonly #handlers = new Map<string, ClientHandler>();
  readonly #calls = new Map<string, Answer>();
  readonly #connected = deferred();
  readonly #closed = deferred<ClosedConnection>();
  #handshaken = false;
  /** What the hub has said of its end. */
  #farewell: ClosedConnection | undefined;
  #news = deferred();
  #taken = 0;
  #ended = false;
  #lastId = 0;

  /** Tests get theirs from `TestHub.connect()`. */
  constructor(id: string, userId: string | undefined, service: MemoryService) {
    this.id = id;
    this.userId = userId;
    this.#service = service;
  }

  /** Resolves when the connection has ended, whoever ended it. */
  get closed(): Promise<ClosedConnection> {
    return this.#closed.promise;
  }

  /** Resolves once the hub has answered the handshake; rejects with the text of a refusal. */
  async shakeHands(): Promise<void> {
    this.#service.data(this.id, encodeHandshakeRequest('json', 1));
    await this.#connected.promise;
  }

  /** Runs on every call of that method; what it returns or throws answers where the hub asks. */
  on(method: string, handler: ClientHandler): this {
    this.#handlers.set(method.toLowerCase(), handler);
    return this;
  }

  /**
   * The first message that `next` has not answered yet, come or to come. Rejects when the connection
   * has ended before.
   */
  async next(): Promise<ReceivedMessage> {
    const at = this.#taken++;
    while (at >= this.received.length) {
      if (this.#ended) throw new Error('the connection was closed before the message');
      await this.#news.promise;
    }
    return this.received[at]!;
  }

  /** Calls a method, and resolves with its result. Rejects with the error that a client is told. */
  async invoke<Name extends Names<Class, false>>(
    method: Name,
    ...args: Parameters<MethodOf<Class, Name>>
  ): Promise<Awaited<ReturnType<MethodOf<Class, Name>>>> {
    const answer = this.#call(HubMessageType.Invocation, method, args);
    for await (const _item of answer);
    return answer.result as Awaited<ReturnType<MethodOf<Class, Name>>>;
  }

  /** Calls a method without waiting for anything; its errors reach nobody. */
  send<Name extends Names<Class, false>>(
    method: Name,
    ...args: Parameters<MethodOf<Class, Name>>
  ): void {
    this.#say({ type: HubMessageType.Invocation, target: method, ...this.#uploading(args) });
  }

  /** Calls a method that streams. Leaving the loop cancels it. */
  stream<Name extends Names<Class, true>>(
    method: Name,
    ...args: Parameters<MethodOf<Class, Name>>
  ): AsyncIterable<StreamItem<ReturnType<MethodOf<Class, Name>>>> {
    const items: unknown = this.#call(HubMessageType.StreamInvocation, method, args);
    return items as AsyncIterable<StreamItem<ReturnType<MethodOf<Class, Name>>>>;
  }

  /** Leaves, as a client that is stopped. */
  stop(): void {
    this.#service.close(this);
    this.#farewell = { error: undefined, allowReconnect: false };
    this.close(undefined);
  }

  take(bytes: Uint8Array): void {
    this.#records.push(bytes, (record, start, end) => {
      this.#record(JSON.parse(utf8(record, start, end - 1)) as HubRecord);
    });
  }

  close(error: string | undefined): void {
    const why = error ?? 'the connection was closed before its handshake';
    this.#connected.reject(new Error(why));
    for (const call of this.#calls.values()) call.end(new Error('the connection was closed'));
    this.#calls.clear();
    this.#ended = true;
    this.#tell();
    this.#closed.resolve(this.#farewell ?? { error, allowReconnect: false });
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = deferred();
  }

  #record(record: HubRecord): void {
    if (!this.#handshaken) {
      this.#handshaken = true;
      if (record.error === undefined) this.#connected.resolve();
      else this.#connected.reject(new Error(record.error));
      return;
    }
    const call = this.#calls.get(record.invocationId ?? '');
    switch (record.type) {
      case HubMessageType.Invocation:
        void this.#called(record);
        break;
      case HubMessageType.StreamItem:
        void call?.push(record.item);
        break;
      case HubMessageType.Completion:
        this.#calls.delete(record.invocationId ?? '');
        if (record.error === undefined) call?.complete(record.result);
        else call?.end(new Error(record.error));
        break;
      case HubMessageType.Close:
        this.#farewell = { error: record.error, allowReconnect: record.allowReconnect === true };
        break;
      default:
      // A ping: nothing waits for it.
    }
  }

  async #called({ target = '', arguments: args = [], invocationId }: HubRecord): Promise<void> {
    this.received.push({ method: target, args });
    this.#tell();
    const handler = this.#handlers.get(target.toLowerCase());
    const type = HubMessageType.Completion;
    try {
      if (handler === undefined && invocationId !== undefined) {
        throw new HubError(`the test client has no handler of '${target}'`);
      }
      const result = (await handler?.(...(args as never[]))) ?? null;
      if (invocationId !== undefined) this.#say({ type, invocationId, result });
    } catch (error) {
      if (invocationId === undefined) throw error;
      this.#say({ type, invocationId, error: errorMessage(error) });
    }
  }

  #call(type: number, target: string, args: readonly unknown[]): Answer {
    const invocationId = String(++this.#lastId);
    const answer = new Answer(() => {
      if (!this.#calls.delete(invocationId)) return;
      this.#say({ type: HubMessageType.CancelInvocation, invocationId });
    });
    if (this.#ended) {
      answer.end(new Error('the connection was closed'));
      return answer;
    }
    this.#calls.set(invocationId, answer);
    this.#say({ type, invocationId, target, ...this.#uploading(args) });
    return answer;
  }

  /** Async iterables at the end of the arguments are uploads, each under an id of its own. */
  #uploading(args: readonly unknown[]) {
    const ordinary = args.findLastIndex((arg) => !isAsyncIterable(arg)) + 1;
    const uploads = args.slice(ordinary) as AsyncIterable<unknown>[];
    const streamIds = uploads.map(() => String(++this.#lastId));
    for (const [at, items] of uploads.entries()) void this.#upload(streamIds[at]!, items);
    return { arguments: args.slice(0, ordinary), streamIds };
  }

  async #upload(invocationId: string, items: AsyncIterable<unknown>): Promise<void> {
    // Behind the call that it belongs to.
    await Promise.resolve();
    const type = HubMessageType.Completion;
    try {
      for await (const item of items) {
        this.#say({ type: HubMessageType.StreamItem, invocationId, item });
      }
      this.#say({ type, invocationId });
    } catch (error) {
      this.#say({ type, invocationId, error: errorMessage(error) });
    }
  }

  #say(message: object): void {
    this.#service.data(this.id, Buffer.from(`${JSON.stringify(message)}\x1e`));
  }
}

function isAsyncIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
