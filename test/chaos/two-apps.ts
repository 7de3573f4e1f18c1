import { expect } from 'vitest';

import type { Client } from '../conformance/client.ts';
import { type Bystander, bystand } from './bystander.ts';
import type { World } from './world.ts';

/** What each of the two app servers serves. */
export const CLIENTS_EACH = 10;

/** The clients of app servers A and B, which a world has been started with. */
export interface TwoApps {
  readonly ofA: readonly Client[];
  readonly idsOfA: readonly string[];
  /** One of B's, calling. */
  readonly bystander: Bystander;
}

export async function twoApps(world: World): Promise<TwoApps> {
  const served = await world.servedBy(await world.connectAll(2 * CLIENTS_EACH));
  const [ofA = [], ofB = []] = [served.get('A'), served.get('B')];
  expect([ofA.length, ofB.length]).toEqual([CLIENTS_EACH, CLIENTS_EACH]);
  const idsOfA = await Promise.all(ofA.map((client) => client.id()));
  return { ofA, idsOfA, bystander: bystand(ofB[0]!) };
}

/** Waits until this app server serves all of them, who have not noticed a thing. */
export async function expectMovedTo(
  world: World,
  clients: readonly Client[],
  name: string,
): Promise<void> {
  await world.eventually(async () =>
    expect([...(await world.servedBy(clients)).keys()]).toEqual([name]),
  );
  expectUnaware(clients);
}

/** Nothing has happened to their connections. */
export function expectUnaware(clients: readonly Client[]): void {
  expect(clients.flatMap(({ events }) => events.all)).toEqual([]);
}

/**
 * Waits until all have come back, once, to this app server. Each was told by a hub Close without an
 * error: one that was cut off would give its reason.
 */
export async function expectToldAndServedBy(
  world: World,
  clients: readonly Client[],
  name: string,
): Promise<void> {
  await Promise.all(clients.map((client) => client.event('reconnected')));
  for (const client of clients) {
    expect(client.events.all).toEqual([
      { type: 'reconnecting', error: undefined },
      { type: 'reconnected', error: undefined },
    ]);
  }
  expect([...(await world.servedBy(clients)).keys()]).toEqual([name]);
}
