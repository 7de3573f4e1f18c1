import { BlockList, isIP } from 'node:net';
import { SettingsError } from './errors.ts';
import { flagName } from './options.ts';
import type { OptionTable, OptionValue } from './options.ts';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
LOOPBACK.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

/** Whether nobody but this machine reaches an address. Of names, `localhost` alone is known. */
function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === 'localhost';
  return LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

/**
 * With `--dev` anybody may come in, so nobody else may reach the process, unless `--dev-public` says
 * that this is meant.
 * @throws SettingsError naming the first address that others could reach
 */
export function refusePublicDevelopment(
  table: OptionTable,
  values: Readonly<Record<string, OptionValue | undefined>>,
): void {
  if (values['dev'] !== true || values['devPublic'] === true) return;
  for (const [key, row] of Object.entries(table)) {
    const host = values[key];
    if (row.listens !== true || typeof host !== 'string' || isLoopback(host)) continue;
    throw new SettingsError(
      `--dev lets anybody in, and others may reach ${host}: leave out --dev or --${flagName(key)}, or add --dev-public if that is meant`,
    );
  }
}
