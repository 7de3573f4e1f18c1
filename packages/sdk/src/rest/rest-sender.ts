import { HubMessageType, MessageType } from '@trunkline/protocol';

import { HubError, InvalidDataException, TrunklineError } from '../errors.ts';
import { findProtocol } from '../protocols/index.ts';
import { jsonValue, parseJson } from '../protocols/json-values.ts';
import type { Destination } from '../sending/destination.ts';
import type { ClientCall, Sender } from '../sending/send-proxy.ts';
import { eachOf } from './each-of.ts';
import { path } from './rest-client.ts';
import type { RestAnswer, RestCallOf, RestClient } from './rest-client.ts';

/** Of one send: thousands of names are not to be thousands of requests at the same time. */
const CALLS_AT_ONCE = 16;

/** Sends to clients of a hub by REST (REST reference, sections 1.5 and 2.3). */
export class RestSender implements Sender {
  readonly #client: RestClient;
  readonly #hub: string;

  constructor(client: RestClient, hub: string) {
    this.#client = client;
    this.#hub = hub;
  }

  /**
   * Resolves when the service has accepted it for delivery, for each one named. After a failure those
   * that are left get nothing.
   */
  async send(destination: Destination | undefined, target: string, args: unknown[]): Promise<void> {
    if (destination === undefined) return;
    const message = messageBody(target, args);
    await eachOf(addresses(this.#hub, destination), CALLS_AT_ONCE, (address) =>
      this.#client.call({ method: 'POST', ...address, message }),
    );
  }

  /** Rejects with TrunklineError `client-gone` when the service does not know the connection. */
  async invoke({ connectionId, target, args, timeout, signal }: ClientCall): Promise<unknown> {
    const answer = await this.#client.call({
      method: 'POST',
      path: path('hubs/{hub}/connections/{connectionId}/:invoke', { hub: this.#hub, connectionId }),
      message: messageBody(target, args),
      absent: 'Error.Connection.NotExisted',
      timeout,
      signal,
    });
    if (answer !== undefined) return clientResult(answer);
    throw new TrunklineError('client-gone', `Connection '${connectionId}' does not exist.`);
  }
}

type Address = Pick<RestCallOf<Sends, 'POST'>, 'path' | 'query'>;
type Sends =
  | 'hubs/{hub}/:send'
  | 'hubs/{hub}/connections/{connectionId}/:send'
  | 'hubs/{hub}/groups/{group}/:send'
  | 'hubs/{hub}/users/{user}/:send';

/** Where a message is posted to: there is one call for each connection, group or user. */
function addresses(hub: string, destination: Destination): Address[] {
  switch (destination.type) {
    case MessageType.BroadcastData: {
      const query = excluded(destination.excludedConnectionIds);
      return [{ path: path('hubs/{hub}/:send', { hub }), query }];
    }
    case MessageType.GroupBroadcastData: {
      const query = excluded(destination.excludedConnectionIds);
      const { group } = destination;
      return [{ path: path('hubs/{hub}/groups/{group}/:send', { hub, group }), query }];
    }
    case MessageType.MultiGroupBroadcastData:
      return destination.groups.map((group) => ({
        path: path('hubs/{hub}/groups/{group}/:send', { hub, group }),
      }));
    case MessageType.MultiConnectionData:
      return destination.connectionIds.map((connectionId) => ({
        path: path('hubs/{hub}/connections/{connectionId}/:send', { hub, connectionId }),
      }));
    case MessageType.UserData:
      return [{ path: path('hubs/{hub}/users/{user}/:send', { hub, user: destination.userId }) }];
    case MessageType.MultiUserData:
      return destination.userIds.map((user) => ({
        path: path('hubs/{hub}/users/{user}/:send', { hub, user }),
      }));
  }
}

export function excluded(ids: readonly string[]): ['excluded', string][] {
  return ids.map((id) => ['excluded', id]);
}

function messageBody(target: string, args: readonly unknown[]): string {
  return JSON.stringify({ target, arguments: jsonValue(args, false) });
}

/**
 * The service answers with the client's own completion, in the hub protocol that it names, or with a
 * JSON object that holds the result.
 */
function clientResult({ headers, body }: RestAnswer): unknown {
  const protocol = findProtocol(protocolOf(headers));
  if (protocol === undefined) throw new InvalidDataException('The client speaks another protocol.');
  const isJson = headers.get('content-type')?.startsWith('application/json') === true;
  if (isJson && body.at(-1) !== RECORD_SEPARATOR) {
    const { result, error } = parseJson(body, 0, body.length, false, (inexact) => {
      throw inexact;
    }) as Envelope;
    if (error === undefined) return result;
    throw new HubError(error);
  }
  const message = protocol.parse(body, 0, body.length);
  if (message?.type !== HubMessageType.Completion) {
    throw new InvalidDataException('The service answered with something else than a completion.');
  }
  if (message.fault !== undefined) throw message.fault;
  if (message.error !== undefined) throw new HubError(message.error);
  return message.result;
}

/** The second name is of services that are older. */
function protocolOf(headers: Headers): string {
  return headers.get('x-asrs-protocol') ?? headers.get('x-protocol') ?? 'json';
}

const RECORD_SEPARATOR = 0x1e;

interface Envelope {
  readonly result: unknown;
  readonly error?: string;
}
