import type { ClientCompletion, ClientInvocation } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';
import type { ClientSession } from '../client/client-session.ts';
import { deliver } from '../delivery.ts';
import type { EdgeContext } from '../edge-context.ts';
import type { ServerSession } from './server-session.ts';

/** How long the hosted service remembers who waits for a client's result (REST reference, 1.5). */
const LONGEST_MS = 10 * 60 * 1000;
/** Results one edge waits for at a time; app servers wait for each of them too. */
const MAX_PENDING = 100_000;

interface Pending {
  readonly client: ClientSession;
  /** The server connection that asked. */
  readonly caller: ServerSession;
  readonly deadline: number;
}

/**
 * Who waits for which client's result (service protocol reference, section 11). A client answers the
 * app server that serves it, its host; where another server has asked, the answer is handed on.
 */
export class ClientResults {
  /** In the order of their deadlines, since all have the same time. */
  readonly #pending = new Map<string, Pending>();
  /** How many of them each client owes. */
  readonly #asked = new Map<ClientSession, number>();

  /** A server asks a client. */
  invoke(message: ClientInvocation, caller: ServerSession, context: EdgeContext): void {
    const { connectionId, invocationId } = message;
    const client = context.clients.get(connectionId);
    if (client?.hub !== caller.hub) {
      return fail(message, caller, `Connection '${connectionId}' does not exist.`);
    }
    const host = client.server;
    if (host === undefined) {
      return fail(message, caller, `Connection '${connectionId}' waits for an app server.`);
    }
    if (!host.passesAnswers) {
      return fail(
        message,
        caller,
        `Connection '${connectionId}' has an app server too old to ask.`,
      );
    }
    if (this.#pending.size >= MAX_PENDING) {
      return fail(message, caller, 'Too many client results are awaited.');
    }
    const deadline = context.clock.now() + LONGEST_MS;
    this.#forget(invocationId);
    this.#pending.set(invocationId, { client, caller, deadline });
    this.#asked.set(client, (this.#asked.get(client) ?? 0) + 1);
    // A host that asks for itself would take its own message for another server's.
    if (host.serverId !== caller.serverId) host.write({ ...message, payloads: NO_PAYLOADS });
    deliver([client], message.payloads, true, context);
  }

  /** The host passes a client's answer on, or says that it was its own. */
  complete(message: ClientCompletion, host: ServerSession): void {
    const pending = this.#pending.get(message.invocationId);
    if (pending === undefined || pending.client.id !== message.connectionId) return;
    this.#forget(message.invocationId);
    if (pending.caller.serverId !== host.serverId) connectionOf(pending.caller)?.write(message);
  }

  /** Somebody waits for a result of this client. */
  awaits(client: ClientSession): boolean {
    return this.#asked.has(client);
  }

  /** The client has gone, or its server: who waits is told, but a server that is told so itself. */
  clientGone(client: ClientSession): void {
    for (const [invocationId, pending] of this.#pending) {
      if (!this.awaits(client)) return;
      if (pending.client !== client) continue;
      this.#forget(invocationId);
      if (pending.caller === client.server) continue;
      const call = {
        invocationId,
        connectionId: client.id,
        callerServerId: pending.caller.serverId,
      };
      fail(call, pending.caller, `Connection '${client.id}' disconnected.`);
    }
  }

  expire(now: number): void {
    for (const [invocationId, { deadline, client, caller }] of this.#pending) {
      if (deadline > now) return;
      this.#forget(invocationId);
      const call = { invocationId, connectionId: client.id, callerServerId: caller.serverId };
      fail(call, caller, `Connection '${client.id}' did not answer in time.`);
    }
  }

  #forget(invocationId: string): void {
    const client = this.#pending.get(invocationId)?.client;
    if (client === undefined) return;
    this.#pending.delete(invocationId);
    const left = (this.#asked.get(client) ?? 0) - 1;
    if (left > 0) this.#asked.set(client, left);
    else this.#asked.delete(client);
  }
}

const NO_PAYLOADS = new Map<string, Uint8Array>();

type Call = Pick<ClientInvocation, 'invocationId' | 'connectionId' | 'callerServerId'>;

function fail(call: Call, caller: ServerSession, error: string): void {
  const { invocationId, connectionId, callerServerId } = call;
  const type = MessageType.ErrorCompletion;
  connectionOf(caller)?.write({ type, invocationId, connectionId, callerServerId, error });
}

/** The connection that asked, or another one of the same app server if it is gone by now. */
function connectionOf(caller: ServerSession): ServerSession | undefined {
  if (caller.isOpen) return caller;
  return [...caller.hub.servers].find(({ serverId }) => serverId === caller.serverId);
}
