import type { ClientSession } from './client-session.ts';

/**
 * Whether a client may be given to another app server when its own goes. One that requires its app
 * server has its state in that very process, as a Blazor page has its circuit.
 */
export function mayMove({ hub, affinity }: ClientSession): boolean {
  return hub.migrates && affinity.sticky !== 'Required';
}
