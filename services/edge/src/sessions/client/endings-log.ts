import type { ProtocolError } from '@trunkline/protocol';
import type { CloseReason } from '../close-reason.ts';
import type { EdgeContext } from '../edge-context.ts';
import type { ClientSession } from './client-session.ts';

/** What is not the doing of somebody who means it, or of the network, is worth a look. */
const ORDINARY = new Set([
  'Normal',
  'ConnectionLost',
  'PollTimeout',
  'ClosedByAppServer',
  'ServiceReload',
  'SignInExpired',
]);

/** A client has sent what no client sends, or its app server has sent it that. */
export function tellRefused(
  { digest }: EdgeContext,
  { id, hub }: ClientSession,
  side: 'client' | 'server',
  { code, message }: ProtocolError,
): void {
  const text = side === 'client' ? 'client broke the protocol' : 'refused data for a client';
  digest.info({ hub: hub.name, code }, text, { connectionId: id, err: message });
}

/** Clients that are closed for something that somebody should see to; each one at level debug. */
export function tellClosed(
  { digest, log }: EdgeContext,
  { id: connectionId, hub }: ClientSession,
  { label: reason, fault }: CloseReason,
): void {
  if (!ORDINARY.has(reason)) {
    digest.info({ hub: hub.name, reason, fault }, 'clients closed', { connectionId });
  }
  log.debug({ connectionId, hub: hub.name, reason }, 'client closed');
}
