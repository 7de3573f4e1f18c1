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

/** More than a run of it may take. */
const RUNNING = { timeout: BUILD_TIMEOUT_MS };

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
  it(`serves the .NET client ${version}`, RUNNING, async () => {
    const said = await client.run(`${app().url}/main`);
    expect(said.trim().split('\n')).toEqual(DONE);
  });
}

/** From 11 on clients sign in anew by themselves, on an app that offers it. */
export const REFRESHING_VERSION: (typeof CLIENT_VERSIONS)[number] = '11.0.0';

const STAYED = ['done LongPolling stay', 'done ServerSentEvents stay', 'done WebSockets stay'];

export function defineStayTest(client: RestoredPart, app: () => { readonly url: string }): void {
  it('signs the .NET client in anew, on the connection that it has', RUNNING, async () => {
    const said = await client.run(`${app().url}/main`, 'stay');
    expect(said.trim().split('\n').toSorted()).toEqual(STAYED);
  });
}
