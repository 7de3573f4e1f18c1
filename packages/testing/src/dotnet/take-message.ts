import type {
  CloseConnection,
  ConnectionFlowControl,
  MessageFromService,
  OpenConnection,
} from '@trunkline/protocol';
import { FlowControlOperation, FlowControlTarget, MessageType } from '@trunkline/protocol';

import { ClientConnection } from './clients/client-connection.ts';
import { DotnetException } from './exception.ts';
import type { HubServer } from './hub-server.ts';
import type { ServerConnection } from './trunk/server-connection.ts';

const MIGRATE_TO = 'asrs-migrate-to';
const INSTANCE_ID = 'asrs-instance-id';

/**
 * What the package does with each message of the service (service protocol reference, sections 7.4,
 * 8 and 13). Throws where the package would lose the message and log it.
 */
export function takeMessage(
  message: MessageFromService,
  connection: ServerConnection,
  hub: HubServer,
): void {
  const { clients, log } = hub.environment;
  switch (message.type) {
    case MessageType.OpenConnection:
      return open(message, connection, hub);
    case MessageType.CloseConnection:
      return close(message, connection, hub);
    case MessageType.ConnectionData: {
      const client = clients.get(message.connectionId);
      if (client === undefined) log(`Connection ${message.connectionId} does not exist.`);
      return client?.receive(message);
    }
    case MessageType.ConnectionReconnect:
      return clients.get(message.connectionId)?.reconnected();
    case MessageType.ConnectionFlowControl:
      if (hub.environment.profile.flowControl) flowControl(message, connection, hub);
      return;
    case MessageType.Ping:
      return ping(message.entries, connection, hub);
    case MessageType.Ack:
      return hub.acks.acked(message.ackId, message.status, message.payload);
    case MessageType.UpdateConnectionClaims:
      if (!hub.environment.profile.refreshesAuth) return clientResult(message, hub);
      return clients.get(message.connectionId)?.context.signInAnew(message.claims);
    case MessageType.ServiceError:
      if (message.errorMessage !== '') connection.stopWriting(message.errorMessage);
      return;
    case MessageType.ServiceEvent:
      return log(`Service event: ${message.message}`);
    default:
      return clientResult(message, hub);
  }
}

function open(message: OpenConnection, connection: ServerConnection, hub: HubServer): void {
  const { clients, profile, log } = hub.environment;
  if (hub.isWeak) {
    const { connectionId } = message;
    log(`Connection ${connectionId} was given to a weak connection.`);
    const type = MessageType.CloseConnection;
    return connection.write({ type, connectionId, errorMessage: '', headers: new Map() });
  }
  const names = [...message.headers.keys()].map((name) => name.toLowerCase());
  if (new Set(names).size < names.length) {
    throw new DotnetException('ArgumentException', 'A header has been added already.');
  }
  const client = new ClientConnection(message, connection, hub);
  clients.add(client);
  connection.clients.set(client.id, client.context.headers.get(INSTANCE_ID)?.[0]);
  if (profile.needsProtocol && !message.protocol) {
    // It stays in the table, and nobody serves it (section 18.1).
    return log('ArgumentNullException: Value cannot be null. (Parameter protocolName)');
  }
  client.start();
}

function close(message: CloseConnection, connection: ServerConnection, hub: HubServer): void {
  const moved = [...message.headers.keys()].some((name) => name.toLowerCase() === MIGRATE_TO);
  connection.clients.delete(message.connectionId);
  void hub.environment.clients.remove(message.connectionId)?.end(moved);
}

/** In the package's own order; the first three take the ping for themselves (section 7.4). */
function ping(entries: readonly string[], connection: ServerConnection, hub: HubServer): void {
  const value = (key: string): string | undefined => {
    const at = entries.findIndex((entry, index) => index % 2 === 0 && entry === key);
    return at === -1 ? undefined : entries[at + 1];
  };
  if (value('echo') !== undefined) return connection.write({ type: MessageType.Ping, entries });
  const offline = value('offline');
  if (offline !== undefined) return endInstance(offline, connection, hub);
  if (value('shutdown') === 'finack') return hub.container.finacked(connection);
  const target = value('target');
  if (target !== undefined && target !== '' && !hub.isWeak) hub.container.addOnDemand(target);
}

function endInstance(instance: string, connection: ServerConnection, hub: HubServer): void {
  const { clients, results } = hub.environment;
  for (const [id, at] of connection.clients) {
    if (instance !== '' && at !== instance) continue;
    connection.clients.delete(id);
    void clients.remove(id)?.end();
  }
  results.instanceLost(instance);
}

function flowControl(
  message: ConnectionFlowControl,
  connection: ServerConnection,
  hub: HubServer,
): void {
  const { connectionId, connectionType, operation } = message;
  if (connectionType === FlowControlTarget.Server) {
    if (operation !== FlowControlOperation.Offline) return;
    const offline = hub.container.connections.find(({ id }) => id === connectionId);
    return offline?.stopWriting('The connection is offline.');
  }
  const client = hub.environment.clients.get(connectionId);
  if (client === undefined) return;
  if (operation === FlowControlOperation.Pause) {
    client.pause();
    client.server.write({ ...message, operation: FlowControlOperation.PauseAck });
  } else if (operation === FlowControlOperation.Resume) client.resume(connection);
}

function clientResult(message: MessageFromService, hub: HubServer): void {
  const { profile, results } = hub.environment;
  if (!profile.clientResults) throw new DotnetException('NotSupportedException', 'Not supported.');
  if (message.type === MessageType.ClientInvocation) results.routed(message);
  else if (message.type === MessageType.ClientCompletion) results.relayed(message);
  else if (message.type === MessageType.ErrorCompletion) results.failed(message);
  else if (message.type === MessageType.ServiceMapping) results.mapped(message);
}
