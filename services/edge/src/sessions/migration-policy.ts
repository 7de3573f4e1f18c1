import { MigrationLevel } from '@trunkline/protocol';
import type { Host } from './host.ts';
import type { Served } from './served.ts';

/** Whose word decides whether clients are moved: their app server's, or the operator's. */
export const MIGRATION_POLICIES = ['app', 'always', 'never'] as const;
export type MigrationPolicy = (typeof MIGRATION_POLICIES)[number];

/**
 * Whether a client may be given to another app server when `host`, the one that serves it, goes. An
 * app that keeps something for each connection in its process would lose it without a word to the
 * client: so it says what it can bear, by the level of its handshake (service protocol reference,
 * section 8.6). A client that requires its app server has its state there, whatever the level.
 */
export function mayMove({ hub, affinity }: Served, host: Host): boolean {
  if (affinity.sticky === 'Required' || hub.migration === 'never') return false;
  if (hub.migration === 'always') return true;
  // A host that is lost after it has said farewell still counts as one that shuts down.
  const needed = host.isDeparting ? MigrationLevel.ShutdownOnly : MigrationLevel.Any;
  return host.migrationLevel >= needed;
}
