import { SettingsError } from '@trunkline/settings';

/** The part of a fastify app that listens. */
interface Listener {
  listen(address: { readonly host: string; readonly port: number }): Promise<string>;
}

/**
 * Has an app listen where the settings say; resolves with its URL.
 * @throws SettingsError where it cannot
 */
export async function listen(
  app: Listener,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new SettingsError(
      `cannot listen on ${host} port ${port} (${code}): choose another --host or --port`,
    );
  }
}
