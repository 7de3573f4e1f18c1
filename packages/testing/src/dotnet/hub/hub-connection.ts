import { DataType, HANDSHAKE_SUCCESS } from '@trunkline/protocol';

import type { Clock } from '../clock.ts';
import { DotnetException, errorOf, HubException } from '../exception.ts';
import type { CallerContext } from './caller-context.ts';
import type { HubCall, HubDefinition, HubOptions } from './definition.ts';
import { Dispatcher } from './dispatcher.ts';
import { HANDSHAKE_CANCELED, type HandshakeResult, shakeHands } from './hub-handshake.ts';
import { Inbox } from './inbox.ts';
import { describe, errorTexts } from './invocation-errors.ts';
import type { Completion, HubMessage, HubProtocol, Invocation } from './messages.ts';
import { Silence } from './silence.ts';

/** What a hub connection runs on. */
export interface HubHost {
  readonly definition: HubDefinition;
  readonly options: Required<HubOptions>;
  readonly clock: Clock;
  readonly context: CallerContext;
  readonly call: (signal: AbortSignal) => HubCall;
  readonly shaken: (protocol: HubProtocol) => void;
  /** Takes one hub message, or the handshake response, to the client; `kind` is a DataType. */
  readonly write: (bytes: Uint8Array, kind: number) => void;
  /** The client's answer to an invocation of the server's. */
  readonly completed: (completion: Completion, raw: Uint8Array, protocol: HubProtocol) => void;
  readonly log: (line: string) => void;
}

/** Why a connection ended: what its hub is told, and what its client. */
interface End {
  readonly error?: Error;
  readonly close: HubMessage;
}

const CLOSE: HubMessage = { type: 7 };
const CLOSE_FOR_NOW: HubMessage = { type: 7, allowReconnect: true };

/**
 * ASP.NET's hub connection over a pipe of bytes: handshake, OnConnected, one message after another,
 * Close, OnDisconnected (client protocols reference, section 6).
 */
export class HubConnection {
  readonly #host: HubHost;
  readonly #dispatcher: Dispatcher;
  #protocol: HubProtocol | undefined;
  #early = Buffer.alloc(0);
  #inbox: Inbox | undefined;
  #shaken: (result: HandshakeResult | undefined) => void = () => {};
  #end: End | undefined;
  #closed = false;
  #active = 0;
  #freed = (): void => {};
  #release = (): void => {};
  readonly #silence: Silence;

  constructor(host: HubHost) {
    this.#host = host;
    this.#silence = new Silence(host.clock, host.options);
    host.context.onAbort = () => this.#finish({ close: CLOSE });
    this.#dispatcher = new Dispatcher({
      definition: host.definition,
      detailedErrors: host.options.enableDetailedErrors,
      aborted: host.context.aborted,
      call: host.call,
      write: (message) => this.#write(message),
    });
  }

  receive(bytes: Uint8Array): void {
    if (this.#inbox !== undefined) {
      if (this.#inbox.push(bytes)) this.#silence.heard();
      return;
    }
    this.#early = Buffer.concat([this.#early, bytes]);
    const result = shakeHands(this.#early, this.#host.options.maximumReceiveMessageSize);
    if (result !== undefined) this.#shaken(result);
  }

  /** The client has gone: to the hub that is no error. */
  endInput(): void {
    this.#shaken(undefined);
    this.#finish({ close: CLOSE_FOR_NOW });
  }

  /** Keep-alive and silence, about once a second (client protocols reference, section 3.6). */
  tick(): void {
    if (this.#protocol === undefined || this.#end !== undefined) return;
    if (this.#silence.pingDue()) this.#write({ type: 6 });
    if (this.#silence.isOver) {
      this.#fail(
        new DotnetException('OperationCanceledException', "Client hasn't sent a message."),
      );
    }
  }

  /** Runs the connection from handshake to OnDisconnected; never rejects. */
  async run(): Promise<void> {
    if (!(await this.#shakeHands())) return;
    const { definition, context, call, log, options } = this.#host;
    try {
      await definition.onConnected?.(call(context.aborted));
    } catch (error) {
      const text = describe(errorTexts.closed, errorOf(error), options.enableDetailedErrors);
      this.#close({ type: 7, error: text });
      return;
    }
    await this.#loop();
    const { error, close } = this.#end!;
    this.#close(close);
    try {
      await definition.onDisconnected?.(call(context.aborted), error);
    } catch (thrown) {
      log(`OnDisconnectedAsync failed: ${errorOf(thrown).message}`);
    }
  }

  async #shakeHands(): Promise<boolean> {
    const { clock, options, write } = this.#host;
    const result = await new Promise<HandshakeResult | 'late' | undefined>((resolve) => {
      const cancel = clock.after(options.handshakeTimeout, () => resolve('late'));
      this.#shaken = (result) => {
        cancel();
        resolve(result);
      };
    });
    if (result === undefined) return false;
    if (result === 'late' || 'refusal' in result) {
      write(result === 'late' ? HANDSHAKE_CANCELED : result.refusal, DataType.Handshake);
      return false;
    }
    this.#protocol = result.protocol;
    this.#inbox = new Inbox(result.protocol, options.maximumReceiveMessageSize);
    this.#inbox.push(this.#early.subarray(result.length));
    this.#host.shaken(result.protocol);
    write(HANDSHAKE_SUCCESS, DataType.Handshake);
    return true;
  }

  async #loop(): Promise<void> {
    while (this.#end === undefined) {
      const received = await this.#inbox!.next();
      if (received === undefined) return;
      if (received instanceof Error) this.#fail(received);
      else await this.#take(received.message, received.raw);
    }
  }

  async #take(message: HubMessage, raw: Uint8Array): Promise<void> {
    switch (message.type) {
      case 1:
      case 4:
        return this.#invoke(message);
      case 2:
        return this.#hold(this.#dispatcher.item(message.invocationId, message.item));
      case 3:
        if (this.#dispatcher.uploadEnded(message)) return;
        return this.#host.completed(message, raw, this.#protocol!);
      case 5:
        return this.#dispatcher.cancel(message.invocationId);
      case 6:
        return this.#silence.pinged();
      case 7:
        return this.#finish({
          close: CLOSE,
          ...(message.error === undefined ? {} : { error: new HubException(message.error) }),
        });
    }
  }

  async #invoke(message: Invocation): Promise<void> {
    if (!Dispatcher.counts(message)) return void this.#dispatcher.invoke(message);
    while (this.#active >= this.#host.options.maximumParallelInvocationsPerClient) {
      const freed = new Promise<void>((resolve) => {
        this.#freed = resolve;
      });
      await this.#hold(freed);
      if (this.#end !== undefined) return;
    }
    this.#active++;
    void this.#dispatcher.invoke(message).finally(() => {
      this.#active--;
      this.#freed();
    });
  }

  /** Waits with everything that is behind, unless the connection ends. */
  async #hold(work: Promise<void>): Promise<void> {
    this.#silence.held = true;
    await new Promise<void>((resolve) => {
      this.#release = resolve;
      void work.then(resolve);
    });
    this.#silence.held = false;
    this.#silence.heard();
  }

  #fail(error: Error): void {
    const { enableDetailedErrors } = this.#host.options;
    const text = describe(errorTexts.closed, error, enableDetailedErrors);
    this.#finish({ error, close: { type: 7, error: text, allowReconnect: true } });
  }

  #finish(end: End): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#inbox?.end();
    this.#release();
  }

  #close(close: HubMessage): void {
    this.#write(close);
    this.#closed = true;
    this.#host.context.fireAborted();
    this.#dispatcher.end();
  }

  #write(message: HubMessage): void {
    if (this.#closed) return;
    const kind = KINDS[message.type] ?? DataType.Invocation;
    this.#host.write(this.#protocol!.encode(message), kind);
  }
}

const KINDS: Readonly<Record<number, number>> = { 6: DataType.Other, 7: DataType.Close };
