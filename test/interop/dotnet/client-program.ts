import { expect, it } from 'vitest';

import { BUILD_TIMEOUT_MS, type Part, type RestoredPart } from './part.ts';

/** Of the .NET client, the oldest and the newest that are maintained among them. */
export const CLIENT_VERSIONS = ['8.0.34', '10.0.15', '11.0.0'] as const;

/** All that `Visit.cs` does is done once with each. */
const DONE = [
  'done WebSockets json',
  'done WebSockets messagepack',
  'done ServerSentEvents json',
  'done LongPolling json',
  'done LongPolling messagepack',
];

export function clientPart(version: string): Part {
  const properties = { AspNetCoreVersion: version };
  return { project: 'ClientProgram', how: version, properties };
}

/** A client does all it can with the hub `main` of an app. */
export function defineClientProgramTest(
  version: string,
  client: RestoredPart,
  app: () => { readonly url: string },
): void {
  // The first to run it builds it.
  it(`serves the .NET client ${version}`, { timeout: 2 * BUILD_TIMEOUT_MS }, async () => {
    const said = await client.run(`${app().url}/main`);
    expect(said.trim().split('\n')).toEqual(DONE);
  });
}
