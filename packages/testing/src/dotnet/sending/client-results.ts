import { randomUUID } from 'node:crypto';

import type {
  ClientCompletion,
  ClientInvocation,
  ErrorCompletion,
  ServiceMapping,
} from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';

import type { ClientConnection } from '../clients/client-connection.ts';
import { DotnetException, HubException } from '../exception.ts';
import { hubProtocolNamed } from '../hub/hub-handshake.ts';
import type { Completion, HubProtocol } from '../hub/messages.ts';
import type { HubServer } from '../hub-server.ts';
import type { Profile } from '../profiles.ts';
import { payloadsOf } from './payloads.ts';

interface Pending {
  readonly connectionId: string;
  readonly settle: (completion: Completion) => void;
  readonly fail: (error: Error) => void;
  /** The service instance that holds the client, where the service has said so. */
  instance?: string;
}

/** Results of clients, as who asks and as who hosts the client asked (section 11). */
export class ClientResults {
  readonly #profile: Profile;
  readonly #compile: (() => Promise<void>) | undefined;
  readonly #serverId: string;
  readonly #pending = new Map<string, Pending>();
  /** What other servers ask of clients here: invocation id to connection id. */
  readonly #routed = new Map<string, string>();
  #count = 0;
  /** Under way, or done: the code that writes questions down is compiled (section 21.2). */
  #compiled: Promise<void> | undefined;

  /** `compile`: how long that takes, from the first question on; no time when not given. */
  constructor(profile: Profile, serverId: string, compile?: () => Promise<void>) {
    this.#profile = profile;
    this.#compile = compile;
    this.#serverId = serverId;
  }

  /** Asks a client, wherever it is. There is no time limit but `signal`. */
  async invoke(
    hub: HubServer,
    caller: ClientConnection | undefined,
    connectionId: string,
    method: string,
    args: readonly unknown[],
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    if (!this.#profile.clientResults) {
      throw new DotnetException('NotImplementedException', 'The method is not implemented.');
    }
    const invocationId = `${connectionId}-${randomUUID().replaceAll('-', '')}-${++this.#count}`;
    let cancel = (): void => {};
    let writeDown = (): void => {};
    const completion = new Promise<Completion>((settle, fail) => {
      writeDown = () => this.#pending.set(invocationId, { connectionId, settle, fail });
      cancel = () => fail(canceled());
      signal?.addEventListener('abort', cancel);
    });
    completion.catch(() => {});
    try {
      hub.connectionFor(caller, connectionId).write({
        type: MessageType.ClientInvocation,
        invocationId,
        connectionId,
        callerServerId: this.#serverId,
        payloads: payloadsOf(method, args, undefined, invocationId),
      });
      // An answer that comes before it is written down is lost, as with the package.
      if (this.#compile !== undefined) await (this.#compiled ??= this.#compile());
      writeDown();
      const { error, result } = await completion;
      if (error !== undefined) throw new HubException(error);
      return result;
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#pending.delete(invocationId);
    }
  }

  /** A client here has answered: to us, or to the server that asked through us. */
  completed(
    client: ClientConnection,
    completion: Completion,
    raw: Uint8Array,
    protocol: HubProtocol,
  ): void {
    const { invocationId } = completion;
    const pending = this.#pending.get(invocationId);
    const routed = this.#routed.delete(invocationId);
    if (pending === undefined && !routed) return;
    pending?.settle(completion);
    client.server.write({
      type: MessageType.ClientCompletion,
      invocationId,
      connectionId: client.id,
      callerServerId: this.#serverId,
      protocol: protocol.name,
      payload: routed ? raw : new Uint8Array(0),
    });
  }

  /** Another server asks a client of ours; the question itself goes to it without us. */
  routed({ invocationId, connectionId }: ClientInvocation): void {
    this.#routed.set(invocationId, connectionId);
  }

  /** The answer of a client that another server hosts. */
  relayed({ invocationId, connectionId, protocol, payload }: ClientCompletion): void {
    const pending = this.#pending.get(invocationId);
    if (pending === undefined) return;
    if (pending.connectionId !== connectionId) {
      throw new DotnetException('InvalidOperationException', 'Another connection has answered.');
    }
    const message = hubProtocolNamed(protocol)?.decode(payload, 0, payload.length);
    if (message?.type === 3) pending.settle(message);
  }

  failed({ invocationId, error }: ErrorCompletion): void {
    this.#pending.get(invocationId)?.fail(new HubException(error));
  }

  mapped({ invocationId, instanceId }: ServiceMapping): void {
    const pending = this.#pending.get(invocationId);
    if (pending !== undefined) pending.instance = instanceId;
  }

  /** A service instance is gone, and with it the clients that it holds. */
  instanceLost(instance: string): void {
    for (const pending of this.#pending.values()) {
      if (pending.instance === instance) pending.fail(disconnected(pending.connectionId));
    }
  }

  /** A client of this process is gone. */
  disconnected(connectionId: string): void {
    for (const pending of this.#pending.values()) {
      if (pending.connectionId === connectionId) pending.fail(disconnected(connectionId));
    }
    for (const [invocationId, id] of this.#routed) {
      if (id === connectionId) this.#routed.delete(invocationId);
    }
  }
}

function disconnected(connectionId: string): Error {
  return new DotnetException('IOException', `Connection '${connectionId}' is disconnected.`);
}

function canceled(): HubException {
  return new HubException('Invocation canceled by the server.');
}
