import { fileURLToPath } from 'node:url';

import { startProcess, type StartedProcess } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';

const NEGOTIATE = fileURLToPath(new URL('../../services/negotiate/dist/main.js', import.meta.url));

/** What a good connection string looks like, and what mutations of it are made of. */
export const CONNECTION_STRING = `${formatConnectionString(
  'http://127.0.0.1:8080',
  DEVELOPMENT_ACCESS_KEY,
)}ClientEndpoint=http://127.0.0.1:8080/prefix;`;

export interface StartedNegotiate extends StartedProcess<string> {
  readonly url: string;
}

/** A negotiate service in development on a free port. Rejects as `startProcess` does. */
export async function startNegotiate(
  connectionString = CONNECTION_STRING,
): Promise<StartedNegotiate> {
  const service = await startProcess(process.execPath, [NEGOTIATE, '--dev', '--port', '0'], {
    name: 'negotiate service',
    env: { TRUNKLINE_CONNECTION_STRING: connectionString },
    ready: (line) =>
      line.includes('"negotiate listening"') && (JSON.parse(line) as { url: string }).url,
  });
  return { ...service, url: service.ready };
}
