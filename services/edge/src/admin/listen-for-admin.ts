import type { AddressInfo } from 'node:net';
import { SettingsError } from '@trunkline/settings';
import type { FastifyInstance } from 'fastify';
import type { EdgeConfig } from '../config.ts';
import { localUrl } from '../local-url.ts';

/** Opens the admin port; resolves with its URL. */
export async function listenForAdmin(
  admin: FastifyInstance,
  { adminHost: host, adminPort: port }: Pick<EdgeConfig, 'adminHost' | 'adminPort'>,
): Promise<string> {
  try {
    await admin.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new SettingsError(
      `cannot listen on ${host} port ${port} (${code}): choose another --admin-port or --admin-host`,
    );
  }
  return localUrl('http', host, (admin.server.address() as AddressInfo).port);
}
