import type { ClientCompletion, ClientInvocation, ErrorCompletion } from '@trunkline/protocol';
import { HubMessageType, MessageType } from '@trunkline/protocol';

import type { ClientConnection } from '../clients/client-connection.ts';
import { HubError, InvalidDataException, TrunklineError } from '../errors.ts';
import type { HubRoutes } from '../hubs/hub-routes.ts';
import { findProtocol } from '../protocols/index.ts';
import type { CompletionMessage, HubProtocol } from '../protocols/index.ts';
import { SERVER_ID } from '../trunk/identity.ts';
import type { ServerConnection } from '../trunk/server-connection.ts';
import type { ClientResults } from './client-results.ts';
import { noAnswerCode } from './no-answer.ts';
import { RoutedCalls } from './routed-calls.ts';
import { whyNotAsked } from './too-old.ts';

/**
 * Answers of clients on their way to whoever asked: this server or, through the service, another one
 * (service protocol reference, section 11).
 */
export class ClientAnswers {
  readonly #results: ClientResults;
  readonly #routes: HubRoutes;
  readonly #routed = new RoutedCalls();

  constructor(results: ClientResults, routes: HubRoutes) {
    this.#results = results;
    this.#routes = routes;
  }

  /** Another server asks a client of this one, if it still is: its answer is to go back there. */
  routed({ invocationId }: ClientInvocation, client: ClientConnection | undefined): void {
    if (client === undefined) return;
    const why = whyNotAsked(client);
    if (why === undefined || client.protocol === undefined) {
      this.#routed.add(invocationId, client.id);
    } else {
      relay(client, client.protocol, invocationId, client.protocol.error(invocationId, why));
    }
  }

  /**
   * A client of this server answered; `record` is the whole hub message. Its own server needs no
   * bytes of it: the service only has to forget the call.
   */
  answered(client: ClientConnection, message: CompletionMessage, record: Uint8Array): void {
    const own = this.#results.expects(message.invocationId, client.id);
    if (!own && !this.#routed.take(message.invocationId, client.id)) return;
    relay(client, client.protocol!, message.invocationId, own ? new Uint8Array() : record);
    if (own) this.#results.complete(client.id, message);
  }

  /** The service brings the answer of a client elsewhere. */
  relayed({ invocationId, connectionId, protocol, payload }: ClientCompletion): void {
    try {
      const message = findProtocol(protocol, this.#routes.useBigInt)?.parse(
        payload,
        0,
        payload.length,
      );
      const isAnswer = message?.type === HubMessageType.Completion;
      if (isAnswer && message.invocationId === invocationId) {
        this.#results.complete(connectionId, message);
      }
    } catch (error) {
      if (!(error instanceof InvalidDataException)) throw error;
      this.#results.fail(invocationId, new HubError(error.message));
    }
  }

  /** The service has no answer, and says why. */
  refused({ invocationId, error }: ErrorCompletion): void {
    this.#results.refused(invocationId, new TrunklineError(noAnswerCode(error), error));
  }

  /** The service has brought one that cannot be read. */
  unreadable(invocationId: string, why: string): void {
    this.#results.fail(invocationId, new HubError(why));
  }

  opened(connection: ServerConnection): void {
    this.#results.opened(connection);
  }

  lost(connection: ServerConnection): void {
    this.#results.lost(connection);
  }

  disconnected(connectionId: string): void {
    this.#results.disconnected(connectionId);
    this.#routed.forget(connectionId);
  }
}

/** Hands the service a client's answer, for whichever server has asked. */
function relay(
  client: ClientConnection,
  protocol: HubProtocol,
  invocationId: string,
  payload: Uint8Array,
): void {
  client.trunk.post({
    type: MessageType.ClientCompletion,
    invocationId,
    connectionId: client.id,
    callerServerId: SERVER_ID,
    protocol: protocol.name,
    payload,
  });
}
