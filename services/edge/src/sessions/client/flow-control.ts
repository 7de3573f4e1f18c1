import { FlowControlOperation, FlowControlTarget, MessageType } from '@trunkline/protocol';
import type { Host } from '../host.ts';
import type { ClientSession } from './client-session.ts';

/** A client with this much queued lets its streams rest: half of the least --client-queue-bytes. */
const SLOW_BYTES = 32 * 1024;

/** To be called when bytes are queued for a client: if there are many, its streams are paused. */
export function pauseStreams(client: ClientSession): void {
  const { host } = client;
  if (host?.software.restsStreams !== true || client.pausedAt === host) return;
  if (client.queuedBytes() < SLOW_BYTES) return;
  client.pausedAt = host;
  tell(host, client, FlowControlOperation.Pause);
}

/** To be called when nothing is queued for a client any more. */
export function resumeStreams(client: ClientSession): void {
  const host = client.pausedAt;
  if (host === undefined) return;
  client.pausedAt = undefined;
  tell(host, client, FlowControlOperation.Resume);
}

function tell(host: Host, client: ClientSession, operation: number): void {
  host.write({
    type: MessageType.ConnectionFlowControl,
    connectionId: client.id,
    connectionType: FlowControlTarget.Client,
    operation,
  });
}
