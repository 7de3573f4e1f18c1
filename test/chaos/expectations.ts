import { expect } from 'vitest';

import { census, type Closes, closes } from './census.ts';
import type { World } from './world.ts';

/** What the edge has counted as closed, sooner or later. */
export async function expectCloses(world: World, expected: Closes): Promise<void> {
  await world.eventually(async () => expect(await closes(world.edge)).toEqual(expected));
}

/**
 * Waits until `onDisconnected` has run for each connection, with this error or none, at whatever app
 * server. That it does not run twice is seen at the end, by `expectNothingLeft`.
 */
export async function expectDisconnected(
  world: World,
  connectionIds: readonly string[],
  error = '',
): Promise<void> {
  const disconnects = (): string[][] =>
    connectionIds.map((id) => world.apps.flatMap((app) => app.disconnects(id)));
  await world.eventually(() => expect(disconnects()).toEqual(connectionIds.map(() => [error])));
}

/** Has every client leave, then waits until the edge holds `servers` connections and no more. */
export async function expectNothingLeft(world: World, servers: number): Promise<void> {
  await world.stopClients();
  await world.eventually(async () => {
    const { descriptors, ...rest } = await census(world.edge);
    expect(rest).toEqual({ clients: 0, waiting: 0, servers, queued: 0 });
    expect(descriptors).toBeLessThanOrEqual(world.bareDescriptors + servers);
  });
  for (const app of world.apps) {
    const here = new Set<string>();
    for (const [, event, id] of app.output().matchAll(/^(connected|disconnected) (\S+)/gm)) {
      if (event === 'connected') here.add(id!);
      else expect(here.delete(id!)).toBe(true);
    }
  }
}
