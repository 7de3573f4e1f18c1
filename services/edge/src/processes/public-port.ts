import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { SettingsError } from '@trunkline/settings';

/**
 * The port that edges are to share; a free one for 0. They listen in such a way that whoever does the
 * same shares it with them, so it is tried alone first: resolves when nobody else listens there.
 */
export async function publicPort(host: string, port: number): Promise<number> {
  const server = createServer().listen({ host, port, exclusive: true });
  try {
    await once(server, 'listening');
  } catch {
    throw new SettingsError(
      `cannot listen on ${host} port ${port}: it is in use, or not an address of this machine; choose another --port or --host`,
    );
  }
  const { port: found } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return found;
}
