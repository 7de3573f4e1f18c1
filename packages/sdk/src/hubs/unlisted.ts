import type { Logger } from '../options.ts';
import type { Hub, HubType } from './hub.ts';
import type { MethodTable } from './method-table.ts';

/**
 * Tells whoever develops a hub without a static `methods` what clients can call on it, since that is
 * more than TypeScript says. Not in production, where NODE_ENV says so, nor in tests.
 */
export function warnOfUnlisted(
  { name, methods }: HubType<Hub<never>>,
  table: MethodTable,
  logger: Logger,
): void {
  const environment = process.env['NODE_ENV'];
  if (methods !== undefined || table.size === 0) return;
  if (environment === 'production' || environment === 'test') return;
  const names = [...table.values()].map((method) => method.name).join(', ');
  logger.warn(
    `hub class '${name}' has no static methods, so clients can call every method that it has, private and protected ones too: ${names}`,
  );
}
