import { randomUUID } from 'node:crypto';

import type { Clock } from '../clock.ts';
import { HubError, TrunklineError } from '../errors.ts';
import type { CompletionMessage } from '../protocols/index.ts';
import { leadToOneEdge } from '../trunk/edge-report.ts';
import type { ServerConnection } from '../trunk/server-connection.ts';
import type { ClientCall } from './send-proxy.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
/**
 * How long an edge keeps answers for an app server that has no connection to it: ABSENT_MS of
 * services/edge/src/sessions/server/client-results.ts.
 */
const ABSENT_MS = 30_000;

/** What has been asked of a client, by way of the endpoints that may have it. */
export interface Question {
  /** How many endpoints have been asked. */
  readonly endpoints: number;
  /** By which server connections; none for a client of this server, which answers by its own. */
  readonly askedBy: readonly ServerConnection[];
  /** Tells them that the answer is not awaited any more. */
  withdraw(): void;
}

interface Pending {
  readonly connectionId: string;
  /** Endpoints that were asked and have not said yet that they do not have the connection. */
  asked: number;
  askedBy: readonly ServerConnection[];
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  /** Called when nobody waits any more. */
  readonly settled: (() => void)[];
}

/**
 * By invocation id. Of the whole process, for that is what a service takes for one app server: the
 * answer may come to another Server object than the one that asked.
 */
const pendingCalls = new Map<string, Pending>();
/** Their ids by the connection asked: thousands may go at once, and none looks at what others owe. */
const idsByConnection = new Map<string, Set<string>>();

/** Of the whole process for the same reason. */
const openConnections = new Set<ServerConnection>();

/** Answers of clients that this server waits for (service protocol reference, section 11). */
export class ClientResults {
  readonly #clock: Clock;
  #lastNumber = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Calls `ask` with a fresh invocation id, and resolves with the answer of that connection. What is
   * given up here is withdrawn, or the service would keep it for ten minutes.
   */
  request(
    { connectionId, target, timeout = DEFAULT_TIMEOUT_MS, signal }: ClientCall,
    ask: (invocationId: string) => Question,
  ): Promise<unknown> {
    const number = ++this.#lastNumber;
    const invocationId = `${connectionId}-${randomUUID().replaceAll('-', '')}-${number}`;
    return new Promise((resolve, reject) => {
      let question: Question | undefined;
      const giveUp = (text: string) => {
        question?.withdraw();
        this.fail(invocationId, new HubError(text));
      };
      const cancel = () => giveUp(CANCELED);
      const late = () => giveUp(lateText(target, timeout));
      const cancelDeadline = this.#clock.after(timeout, late);
      const settle = () => {
        cancelDeadline();
        signal?.removeEventListener('abort', cancel);
        for (const tell of pending.settled) tell();
      };
      const pending: Pending = {
        connectionId,
        asked: 1,
        askedBy: [],
        resolve: (answer) => (settle(), resolve(answer)),
        reject: (error) => (settle(), reject(error)),
        settled: [],
      };
      this.#add(invocationId, pending);
      try {
        signal?.addEventListener('abort', cancel);
        if (signal?.aborted === true) return cancel();
        question = ask(invocationId);
        pending.asked = question.endpoints;
        pending.askedBy = question.askedBy;
      } catch (error) {
        this.fail(invocationId, error as Error);
      }
    });
  }

  /** Whether this server waits for that connection's answer under that id. */
  expects(invocationId: string, connectionId: string): boolean {
    return pendingCalls.get(invocationId)?.connectionId === connectionId;
  }

  /** An answer from any other connection than the one asked counts for nothing. */
  complete(connectionId: string, message: CompletionMessage): void {
    const { invocationId, error, result, fault } = message;
    if (!this.expects(invocationId, connectionId)) return;
    if (fault !== undefined) this.fail(invocationId, fault);
    else if (error === undefined) this.#take(invocationId)?.resolve(result);
    else this.fail(invocationId, new HubError(error));
  }

  /** One of the endpoints that were asked has no answer; when none is left, that is the answer. */
  refused(invocationId: string, error: Error): void {
    const pending = pendingCalls.get(invocationId);
    if (pending !== undefined && --pending.asked <= 0) this.fail(invocationId, error);
  }

  fail(invocationId: string, error: Error): void {
    this.#take(invocationId)?.reject(error);
  }

  /** A client of this server has gone; it answers nothing any more. */
  disconnected(connectionId: string): void {
    for (const invocationId of idsByConnection.get(connectionId) ?? []) {
      const text = `Connection '${connectionId}' disconnected.`;
      this.fail(invocationId, new TrunklineError('client-gone', text));
    }
  }

  /** A server connection is up, by which an edge may bring answers. */
  opened(connection: ServerConnection): void {
    openConnections.add(connection);
  }

  /** It has ended. What nobody can bring an answer to any more ends, too, when no edge waits for it. */
  lost(connection: ServerConnection): void {
    openConnections.delete(connection);
    const stranded = new Map<string, Pending>();
    for (const [invocationId, pending] of pendingCalls) {
      const wasAsked = pending.askedBy.some((asked) => leadToOneEdge(connection, asked));
      if (wasAsked && isStranded(pending)) stranded.set(invocationId, pending);
    }
    if (stranded.size === 0) return;
    const cancel = this.#clock.after(ABSENT_MS, () => {
      for (const [invocationId, pending] of stranded) {
        if (isStranded(pending)) this.fail(invocationId, edgeLost(pending));
      }
    });
    for (const [invocationId, { settled }] of stranded) {
      // A process that has stopped is not to stay for questions that have ended otherwise.
      settled.push(() => stranded.delete(invocationId) && stranded.size === 0 && cancel());
    }
  }

  #add(invocationId: string, pending: Pending): void {
    const { connectionId } = pending;
    pendingCalls.set(invocationId, pending);
    const ids = idsByConnection.get(connectionId) ?? new Set();
    idsByConnection.set(connectionId, ids.add(invocationId));
  }

  #take(invocationId: string): Pending | undefined {
    const pending = pendingCalls.get(invocationId);
    if (pending === undefined) return undefined;
    const { connectionId } = pending;
    pendingCalls.delete(invocationId);
    const ids = idsByConnection.get(connectionId)!;
    ids.delete(invocationId);
    if (ids.size === 0) idsByConnection.delete(connectionId);
    return pending;
  }
}

/** As in .NET (client protocols reference, section 6.7). */
const CANCELED = 'Invocation canceled by the server.';

/** In .NET only a token ends the wait, so that a reason behind the usual text is ours to add. */
function lateText(target: string, timeout: number): string {
  return `${CANCELED} The client did not answer '${target}' within ${timeout} ms; clients older than SignalR 7 never do.`;
}

/** No edge that was asked is reached any more. An edge answers by whichever connection it has. */
function isStranded({ askedBy }: Pending): boolean {
  for (const one of openConnections) {
    if (askedBy.some((asked) => leadToOneEdge(one, asked))) return false;
  }
  return askedBy.length > 0;
}

function edgeLost({ connectionId }: Pending): TrunklineError {
  return new TrunklineError(
    'unavailable',
    `the server connection by which connection '${connectionId}' was asked was lost, and its edge is not reached since`,
  );
}
