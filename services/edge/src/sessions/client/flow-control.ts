import { FlowControlOperation, FlowControlTarget, MessageType } from '@trunkline/protocol';
import type { ServerSession } from '../server/server-session.ts';
import type { ClientSession } from './client-session.ts';

/** Queued for a client, this much makes its streams rest: half of the least that may be queued. */
const SLOW_BYTES = 32 * 1024;

/** To be called when bytes are queued: has the client's server let streams rest if it is slow. */
export function pauseStreams(client: ClientSession): void {
  const { server } = client;
  if (server?.restsStreams !== true || client.pausedAt === server) return;
  if (client.queuedBytes() < SLOW_BYTES) return;
  client.pausedAt = server;
  tell(server, client, FlowControlOperation.Pause);
}

/** To be called when nothing is queued any more. */
export function resumeStreams(client: ClientSession): void {
  const server = client.pausedAt;
  if (server === undefined) return;
  client.pausedAt = undefined;
  tell(server, client, FlowControlOperation.Resume);
}

function tell(server: ServerSession, client: ClientSession, operation: number): void {
  server.write({
    type: MessageType.ConnectionFlowControl,
    connectionId: client.id,
    connectionType: FlowControlTarget.Client,
    operation,
  });
}
