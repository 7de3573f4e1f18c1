import type {
  Budget,
  ClientCompletion,
  ClientInvocation,
  ServiceMessage,
} from '@trunkline/protocol';
import {
  AckStatus,
  decodeServiceMessage,
  MessageType,
  oldVersion,
  tooOldToAnswer,
} from '@trunkline/protocol';
import type { Answer } from '../../model/asker.ts';
import { TOO_LONG } from '../../model/asker.ts';
import type { Pools } from '../../pools.ts';
import type { Time } from '../../ports/time.ts';
import { payloadFor } from '../delivery.ts';
import type { Host } from '../host.ts';
import type { HubClient } from '../hub-client.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import { visibleHeader } from '../introduction.ts';
import type { ServedHub } from '../served.ts';
import type { Caller, Completion } from './caller.ts';
import { connectionOf, NO_ANSWER, ServerCaller } from './caller.ts';
import { EarlyQuestions, lentBytes, lentPayloads } from './early-questions.ts';
import type { ServerContext } from './server-context.ts';
import type { ServerSession } from './server-session.ts';

/** How long the hosted service remembers who waits for a client's result (REST reference, 1.5). */
const LONGEST_MS = 10 * 60 * 1000;
/** How long an app server without a connection may take to come back for its answers. */
const ABSENT_MS = 30_000;

/** A host that speaks of what a client has answered. */
export interface Answerer extends Host {
  readonly hub: HubRuntime;
}

interface Pending {
  readonly invocationId: string;
  readonly connectionId: string;
  readonly caller: Caller;
  /** Ends the waiting for the edge that the client is at, if it is not here. */
  stop: (() => void) | undefined;
  deadline: number;
}

/**
 * Who waits for which client's result (service protocol reference, section 11). A client answers the
 * app server that serves it, its host; where another server has asked, the answer is handed on. An
 * invocation is known by the client it is for, so that no hub can reach those of another. Where the
 * client is at another edge, that one is asked, and both edges know who waits.
 */
export class ClientResults {
  /** In the order of their deadlines, since all have the same time. */
  readonly #pending = new Set<Pending>();
  /** By the id of the client that owes the answer, and invocation id. */
  readonly #owed = new Map<string, Map<string, Pending>>();
  /** The last connections of app servers that have none now, and when these ended. */
  readonly #absent = new Map<ServerSession, number>();
  readonly #ofHub: Budget<ServedHub>;
  readonly #ofClient: Budget<string>;
  readonly #early: EarlyQuestions;

  constructor(pools: Pools, time: Time) {
    this.#ofHub = pools.open('client_results', (hub) =>
      this.#giveUp(({ caller }) => caller.hub === hub),
    );
    this.#ofClient = pools.open('client_results_of_client', (id) =>
      this.#giveUp(({ connectionId }) => connectionId === id),
    );
    this.#early = new EarlyQuestions(pools, time);
  }

  /** Somebody at this edge asks a client, here or elsewhere. `body`: the message, for other edges. */
  invoke(
    message: ClientInvocation,
    body: Uint8Array,
    caller: Caller,
    context: ServerContext,
  ): void {
    if (context.clients.get(message.connectionId) === undefined) {
      this.#invokeElsewhere(message, body, caller, context);
    } else {
      this.invokeHere(message, caller, context);
    }
  }

  /** A caller of this edge that is no app server waits no longer. `body`: what says so to other edges. */
  withdraw(
    { connectionId, invocationId }: ClientCompletion,
    body: Uint8Array,
    caller: Caller,
  ): void {
    const pending = this.#owed.get(connectionId)?.get(invocationId);
    if (pending?.caller !== caller) return;
    this.#forget(pending);
    if (pending.stop === undefined) return;
    caller.hub.others.tell({ kind: 'connections', ids: [connectionId] }, body);
  }

  /** Asks a client of this edge. */
  invokeHere(message: ClientInvocation, caller: Caller, context: ServerContext): void {
    const { connectionId } = message;
    const client = context.clients.get(connectionId);
    if (client?.hub !== caller.hub) {
      return fail(message, caller, NO_ANSWER.unknown(connectionId));
    }
    // Asked, it would hang up or keep silent.
    const version = oldVersion((name) => visibleHeader(client.introduction, name));
    if (version !== undefined) return fail(message, caller, tooOldToAnswer(connectionId, version));
    const host = client.host;
    if (host === undefined) {
      return fail(message, caller, NO_ANSWER.unserved(connectionId));
    }
    if (!host.software.passesAnswers) {
      return fail(message, caller, NO_ANSWER.ofOldServer(connectionId));
    }
    const { protocolName } = client;
    if (protocolName !== undefined && payloadFor(message.payloads, protocolName) === undefined) {
      return fail(message, caller, NO_ANSWER.noPayload(connectionId));
    }
    const pending = this.#add(message, caller, context);
    if (pending === undefined) return;
    // A host that asks its own client would take the message for another server's question.
    if (host.serverId !== caller.serverId) host.write({ ...message, payloads: NO_PAYLOADS });
    this.#early.pass(caller, lentPayloads(message.payloads), (payloads) => {
      // The client may have gone meanwhile, or the time for its answer be up.
      if (this.#pending.has(pending)) caller.hub.deliver([client], payloads);
    });
  }

  /** Asks the edge that the client is at; its answer is the client's completion, or its own. */
  #invokeElsewhere(
    message: ClientInvocation,
    body: Uint8Array,
    caller: Caller,
    context: ServerContext,
  ): void {
    const pending = this.#add(message, caller, context);
    if (pending === undefined) return;
    const to = { kind: 'connections', ids: [message.connectionId] } as const;
    this.#early.pass(caller, lentBytes(body), (bytes) => {
      if (!this.#pending.has(pending)) return;
      const asker = { settle: (answer: Answer) => this.#answeredElsewhere(pending, answer) };
      const stop = caller.hub.others.ask(to, 'anyFound', bytes, asker, LONGEST_MS);
      if (this.#pending.has(pending)) pending.stop = stop;
    });
  }

  #answeredElsewhere(pending: Pending, { status, payload, message }: Answer): void {
    if (!this.#pending.has(pending)) return;
    this.#forget(pending);
    const { connectionId, caller } = pending;
    if (status === AckStatus.NotFound) {
      return failPending(pending, NO_ANSWER.unknown(connectionId));
    }
    if (status === AckStatus.InternalServerError) {
      const isTooLong = message === TOO_LONG.message;
      return failPending(pending, isTooLong ? message : NO_ANSWER.tooManyInAll);
    }
    // Something may be lost, the question or its answer.
    if (status !== AckStatus.Ok) return failPending(pending, NO_ANSWER.late(connectionId));
    this.#early.answered(caller);
    const completion = payload && decodeServiceMessage(payload);
    // There is none where the caller serves the client itself, over its connection there.
    if (isCompletion(completion)) caller.complete(completion);
  }

  /**
   * The host passes a client's answer on, or says that it was its own; or the server that asked
   * says that it waits no longer. From anybody else it counts for nothing. What a host here passes on
   * of a client of another edge is that edge's to settle. `host`: the server, here or at another edge.
   */
  complete(
    message: ClientCompletion,
    body: Uint8Array,
    host: Answerer,
    { clients, guests }: ServerContext,
  ): void {
    const { connectionId } = message;
    const pending = this.#owed.get(connectionId)?.get(message.invocationId);
    const isCaller = pending?.caller.serverId === host.serverId && pending.caller.hub === host.hub;
    const guest = guests.get(connectionId);
    if (!isCaller && guest?.host === host) return guest.answered(body);
    if (pending === undefined) return;
    const { caller } = pending;
    if (clients.get(connectionId)?.host !== host && !isCaller) return;
    this.#forget(pending);
    this.#early.answered(caller);
    if (!isCaller) return caller.complete(message);
    caller.done();
    if (pending.stop === undefined) return;
    host.hub.others.tell({ kind: 'connections', ids: [connectionId] }, body);
  }

  /** The answer of a client whose host is no app server, and has read it itself. */
  answered(message: ClientCompletion, host: Host, { clients }: ServerContext): void {
    const { connectionId, invocationId } = message;
    const pending = this.#owed.get(connectionId)?.get(invocationId);
    if (pending === undefined || clients.get(connectionId)?.host !== host) return;
    this.#forget(pending);
    this.#early.answered(pending.caller);
    pending.caller.complete(message);
  }

  /** An app server of another edge waits no longer for a client of this one. */
  withdrawn({ connectionId, invocationId }: ClientCompletion, edgeId: string): void {
    const pending = this.#owed.get(connectionId)?.get(invocationId);
    if (pending?.caller.edgeId === edgeId) this.#forget(pending);
  }

  /** Another edge is gone. Should it only be silent, those who wait there are to know that they wait in vain. */
  edgeLost(edgeId: string): void {
    for (const pending of this.#pending) {
      if (pending.caller.edgeId !== edgeId) continue;
      this.#forget(pending);
      failPending(pending, 'The edge of the app server that asked was not heard for a while.');
    }
  }

  /** Somebody waits for a result of this client. */
  awaits(client: HubClient): boolean {
    return this.#owed.has(client.id);
  }

  /**
   * The client has gone, or the server that serves it: whoever waits for a result of the client is
   * told. Its own server is not: it learns of the end by CloseConnection, or is the one lost.
   */
  clientGone(client: HubClient): void {
    for (const pending of this.#owed.get(client.id)?.values() ?? []) {
      const { caller } = pending;
      this.#forget(pending);
      if (caller instanceof ServerCaller && caller.server === client.host) continue;
      failPending(pending, NO_ANSWER.gone(client.id));
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
      failPending(pending, NO_ANSWER.late(pending.connectionId));
    }
  }

  #putOff(late: number): void {
    for (const [server, since] of this.#absent) this.#absent.set(server, since + late);
    for (const pending of this.#pending) pending.deadline += late;
  }

  /** Remembers who waits. Undefined where that is refused, and the caller has been told. */
  #add(message: ClientInvocation, caller: Caller, { time }: ServerContext): Pending | undefined {
    const { connectionId, invocationId } = message;
    const refusal = this.#refusal(message, caller);
    if (refusal !== undefined) {
      fail(message, caller, refusal);
      return undefined;
    }
    const deadline = time.now() + LONGEST_MS;
    const pending: Pending = { invocationId, connectionId, caller, stop: undefined, deadline };
    const owed = this.#owed.get(connectionId) ?? new Map<string, Pending>();
    this.#owed.set(connectionId, owed.set(invocationId, pending));
    this.#pending.add(pending);
    return pending;
  }

  /** Why it cannot be waited for; undefined where it can, and room has been taken. */
  #refusal({ connectionId, invocationId }: ClientInvocation, caller: Caller): string | undefined {
    if (this.#owed.get(connectionId)?.has(invocationId) === true) {
      return `The answer to '${invocationId}' is awaited already.`;
    }
    if (!this.#ofClient.take(connectionId, 1)) {
      return NO_ANSWER.tooMany(connectionId);
    }
    if (this.#ofHub.take(caller.hub, 1)) return undefined;
    this.#ofClient.give(connectionId, 1);
    return NO_ANSWER.tooManyInAll;
  }

  #forget(pending: Pending): void {
    if (!this.#pending.delete(pending)) return;
    const { connectionId, invocationId, caller } = pending;
    const owed = this.#owed.get(connectionId);
    owed?.delete(invocationId);
    if (owed?.size === 0) this.#owed.delete(connectionId);
    this.#ofClient.give(connectionId, 1);
    this.#ofHub.give(caller.hub, 1);
    pending.stop?.();
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
      failPending(pending, NO_ANSWER.tooManyInAll);
    }
  }
}

const NO_PAYLOADS = new Map<string, Uint8Array>();

type Call = Pick<ClientInvocation, 'invocationId' | 'connectionId' | 'callerServerId'>;

function failPending({ invocationId, connectionId, caller }: Pending, error: string): void {
  fail({ invocationId, connectionId, callerServerId: caller.serverId }, caller, error);
}

function fail(call: Call, caller: Caller, error: string): void {
  const { invocationId, connectionId, callerServerId } = call;
  const type = MessageType.ErrorCompletion;
  caller.complete({ type, invocationId, connectionId, callerServerId, error });
}

function isCompletion(message: ServiceMessage | undefined): message is Completion {
  return (
    message?.type === MessageType.ClientCompletion || message?.type === MessageType.ErrorCompletion
  );
}
