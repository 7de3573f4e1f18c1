import type { Budget, ClientCompletion, ClientInvocation } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';
import type { Pools } from '../../pools.ts';
import type { Time } from '../../ports/time.ts';
import type { PooledHost } from '../host.ts';
import type { HubClient } from '../hub-client.ts';
import type { ServedHub } from '../served.ts';
import { EarlyQuestions } from './early-questions.ts';
import type { ServerContext } from './server-context.ts';
import type { ServerSession } from './server-session.ts';

/** How long the hosted service remembers who waits for a client's result (REST reference, 1.5). */
const LONGEST_MS = 10 * 60 * 1000;
/** How long an app server without a connection may take to come back for its answers. */
const ABSENT_MS = 30_000;

interface Pending {
  readonly invocationId: string;
  readonly client: HubClient;
  /** The server connection that asked. */
  readonly caller: ServerSession;
  deadline: number;
}

/**
 * Who waits for which client's result (service protocol reference, section 11). A client answers the
 * app server that serves it, its host; where another server has asked, the answer is handed on. An
 * invocation is known by the client it is for, so that no hub can reach those of another.
 */
export class ClientResults {
  /** In the order of their deadlines, since all have the same time. */
  readonly #pending = new Set<Pending>();
  /** By the client that owes the answer, and invocation id. */
  readonly #owed = new Map<HubClient, Map<string, Pending>>();
  /** The last connections of app servers that have none now, and when these ended. */
  readonly #absent = new Map<ServerSession, number>();
  readonly #ofHub: Budget<ServedHub>;
  readonly #ofClient: Budget<HubClient>;
  readonly #early: EarlyQuestions;

  constructor(pools: Pools, time: Time) {
    this.#ofHub = pools.open('client_results', (hub) =>
      this.#giveUp((one) => one.client.hub === hub),
    );
    this.#ofClient = pools.open('client_results_of_client', (client) =>
      this.#giveUp((one) => one.client === client),
    );
    this.#early = new EarlyQuestions(pools, time);
  }

  /** A server asks a client. */
  invoke(message: ClientInvocation, caller: ServerSession, context: ServerContext): void {
    const { connectionId, invocationId } = message;
    const client = context.clients.get(connectionId);
    if (client?.hub !== caller.hub) {
      return fail(message, caller, `Connection '${connectionId}' does not exist.`);
    }
    const host = client.host;
    if (host === undefined) {
      return fail(message, caller, `Connection '${connectionId}' waits for an app server.`);
    }
    if (!host.software.passesAnswers) {
      return fail(
        message,
        caller,
        `Connection '${connectionId}' has an app server too old to ask.`,
      );
    }
    const deadline = context.time.now() + LONGEST_MS;
    const pending: Pending = { invocationId, client, caller, deadline };
    const refusal = this.#add(pending);
    if (refusal !== undefined) return fail(message, caller, refusal);
    // A host that asks its own client would take the message for another server's question.
    if (host.serverId !== caller.serverId) host.write({ ...message, payloads: NO_PAYLOADS });
    this.#early.pass(caller, message.payloads, (payloads) => {
      // The client may have gone meanwhile, or the time for its answer be up.
      if (this.#pending.has(pending)) caller.hub.deliver([client], payloads);
    });
  }

  /**
   * The host passes a client's answer on, or says that it was its own; or the server that asked
   * says that it waits no longer. From anybody else it counts for nothing.
   */
  complete(message: ClientCompletion, server: ServerSession, context: ServerContext): void {
    const client = context.clients.get(message.connectionId);
    const pending = client && this.#owed.get(client)?.get(message.invocationId);
    if (pending === undefined) return;
    const asker = pending.caller.serverId === server.serverId && pending.caller.hub === server.hub;
    if (client?.host !== server && !asker) return;
    this.#forget(pending);
    this.#early.answered(pending.caller);
    if (!asker) connectionOf(pending.caller)?.write(message);
  }

  /** Somebody waits for a result of this client. */
  awaits(client: HubClient): boolean {
    return this.#owed.has(client);
  }

  /**
   * The client has gone, or the server that serves it: whoever waits for a result of the client is
   * told. Its own server is not: it learns of the end by CloseConnection, or is the one lost.
   */
  clientGone(client: HubClient): void {
    for (const pending of this.#owed.get(client)?.values() ?? []) {
      this.#forget(pending);
      if (pending.caller === client.host) continue;
      failPending(pending, `Connection '${client.id}' disconnected.`);
    }
  }

  /** A server connection is gone. If it was its app server's last, that may come back for answers. */
  serverGone(server: ServerSession, now: number): void {
    if (this.#pending.size > 0 && connectionOf(server) === undefined) this.#absent.set(server, now);
  }

  /** `late`: how long this edge itself slept, in which nobody could answer or come back. */
  expire(now: number, late: number): void {
    if (late > 0) this.#putOff(late);
    for (const [server, since] of this.#absent) {
      if (now - since < ABSENT_MS) continue;
      this.#absent.delete(server);
      if (connectionOf(server) === undefined) this.#forgetAskedBy(server);
    }
    for (const pending of this.#pending) {
      if (pending.deadline > now) return;
      this.#forget(pending);
      failPending(pending, `Connection '${pending.client.id}' did not answer in time.`);
    }
  }

  #putOff(late: number): void {
    for (const [server, since] of this.#absent) this.#absent.set(server, since + late);
    for (const pending of this.#pending) pending.deadline += late;
  }

  /** Remembers who waits. Answers why it cannot be waited for, or undefined. */
  #add(pending: Pending): string | undefined {
    const { client, invocationId } = pending;
    if (this.#owed.get(client)?.has(invocationId) === true) {
      return `The answer to '${invocationId}' is awaited already.`;
    }
    if (!this.#ofClient.take(client, 1)) {
      return `Too many results of connection '${client.id}' are awaited.`;
    }
    if (!this.#ofHub.take(client.hub, 1)) {
      this.#ofClient.give(client, 1);
      return 'Too many client results are awaited.';
    }
    const owed = this.#owed.get(client) ?? new Map<string, Pending>();
    this.#owed.set(client, owed.set(invocationId, pending));
    this.#pending.add(pending);
    return undefined;
  }

  #forget(pending: Pending): void {
    if (!this.#pending.delete(pending)) return;
    const { client, invocationId } = pending;
    const owed = this.#owed.get(client);
    owed?.delete(invocationId);
    if (owed?.size === 0) this.#owed.delete(client);
    this.#ofClient.give(client, 1);
    this.#ofHub.give(client.hub, 1);
  }

  /** Forgets what an app server has asked that has not come back: nobody is there to be told. */
  #forgetAskedBy({ serverId, hub }: ServerSession): void {
    for (const pending of this.#pending) {
      const { caller } = pending;
      if (caller.serverId === serverId && caller.hub === hub) this.#forget(pending);
    }
  }

  /** Ends waits with an error, because others need the room. */
  #giveUp(which: (pending: Pending) => boolean): void {
    for (const pending of this.#pending) {
      if (!which(pending)) continue;
      this.#forget(pending);
      failPending(pending, 'Too many client results are awaited.');
    }
  }
}

const NO_PAYLOADS = new Map<string, Uint8Array>();

type Call = Pick<ClientInvocation, 'invocationId' | 'connectionId' | 'callerServerId'>;

function failPending({ invocationId, client, caller }: Pending, error: string): void {
  const call = { invocationId, connectionId: client.id, callerServerId: caller.serverId };
  fail(call, caller, error);
}

function fail(call: Call, caller: ServerSession, error: string): void {
  const { invocationId, connectionId, callerServerId } = call;
  const type = MessageType.ErrorCompletion;
  connectionOf(caller)?.write({ type, invocationId, connectionId, callerServerId, error });
}

/** The connection that asked, or another one of the same app server if it is gone by now. */
function connectionOf(caller: ServerSession): PooledHost | undefined {
  if (caller.isOpen) return caller;
  return [...caller.hub.servers].find(({ serverId }) => serverId === caller.serverId);
}
