import { randomUUID } from 'node:crypto';

import type { Clock } from '../clock.ts';
import { HubError, TrunklineError } from '../errors.ts';
import type { CompletionMessage } from '../protocols/index.ts';
import type { InvokeOptions } from './send-proxy.ts';

const DEFAULT_TIMEOUT_MS = 30_000;

interface Pending {
  readonly connectionId: string;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Answers of clients that this server waits for (service protocol reference, section 11). */
export class ClientResults {
  readonly #clock: Clock;
  readonly #pending = new Map<string, Pending>();
  #lastNumber = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `send` with a fresh invocation id, and resolves with the answer of that connection. */
  request(
    connectionId: string,
    { timeout = DEFAULT_TIMEOUT_MS, signal }: InvokeOptions,
    send: (invocationId: string) => void,
  ): Promise<unknown> {
    const number = ++this.#lastNumber;
    const invocationId = `${connectionId}-${randomUUID().replaceAll('-', '')}-${number}`;
    return new Promise((resolve, reject) => {
      const cancel = () => this.fail(invocationId, new HubError(CANCELED));
      const cancelDeadline = this.#clock.after(timeout, cancel);
      const settle = () => {
        cancelDeadline();
        signal?.removeEventListener('abort', cancel);
      };
      this.#pending.set(invocationId, {
        connectionId,
        resolve: (answer) => (settle(), resolve(answer)),
        reject: (error) => (settle(), reject(error)),
      });
      try {
        signal?.addEventListener('abort', cancel);
        if (signal?.aborted === true) cancel();
        else send(invocationId);
      } catch (error) {
        this.fail(invocationId, error as Error);
      }
    });
  }

  /** Whether this server waits for that connection's answer under that id. */
  expects(invocationId: string, connectionId: string): boolean {
    return this.#pending.get(invocationId)?.connectionId === connectionId;
  }

  /** An answer from any other connection than the one asked counts for nothing. */
  complete(connectionId: string, { invocationId, error, result }: CompletionMessage): void {
    if (!this.expects(invocationId, connectionId)) return;
    if (error === undefined) this.#take(invocationId)?.resolve(result);
    else this.fail(invocationId, new HubError(error));
  }

  fail(invocationId: string, error: Error): void {
    this.#take(invocationId)?.reject(error);
  }

  /** A client of this server has gone; it answers nothing any more. */
  disconnected(connectionId: string): void {
    for (const [invocationId, pending] of this.#pending) {
      if (pending.connectionId !== connectionId) continue;
      const text = `Connection '${connectionId}' disconnected.`;
      this.fail(invocationId, new TrunklineError('client-gone', text));
    }
  }

  #take(invocationId: string): Pending | undefined {
    const pending = this.#pending.get(invocationId);
    this.#pending.delete(invocationId);
    return pending;
  }
}

/** As in .NET (client protocols reference, section 6.7). */
const CANCELED = 'Invocation canceled by the server.';
