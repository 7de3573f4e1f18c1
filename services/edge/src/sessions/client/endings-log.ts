import type { ProtocolError } from '@trunkline/protocol';
import type { CloseReason } from '../close-reason.ts';
import type { EdgeContext } from '../edge-context.ts';
import type { ClientSession } from './client-session.ts';

/** Closes that somebody wanted, or that the network caused. Every other one deserves a look. */
const ORDINARY = new Set([
  'Normal',
  'ConnectionLost',
  'PollTimeout',
  'PingTimeout',
  'ClosedByAppServer',
  'ServiceReload',
  'SignInExpired',
]);

/** Logs that a client, or the app server for it (`side`), has sent what cannot be relayed. */
export function tellRefused(
  { digest }: EdgeContext,
  { id, hub }: ClientSession,
  side: 'client' | 'server',
  { code, message }: ProtocolError,
): void {
  const text = side === 'client' ? 'client broke the protocol' : 'refused data for a client';
  digest.info({ hub: hub.name, code }, text, { connectionId: id, err: message });
}

/** Logs a close at level debug, and, if it is not an ordinary one, among others at level info. */
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
