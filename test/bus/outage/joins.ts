import { expect, vi } from 'vitest';

import type { Place } from './place.ts';

/** For messages that have been said. */
const SOON = { timeout: 3_000, interval: 10 };
let groups = 0;

/** Each app server joins a client of each edge to a group; what any of them says there then comes. */
export async function expectJoinsToWork(places: readonly Place[]): Promise<void> {
  const pairs = places.flatMap((asker) => places.map((place) => [asker, place] as const));
  await Promise.all(pairs.map(([asker, place]) => expectJoinToWork(asker, place, places)));
}

async function expectJoinToWork(
  asker: Place,
  place: Place,
  speakers: readonly Place[],
): Promise<void> {
  const group = `joined ${++groups}`;
  const listener = place.listeners[0]!;
  await asker.desk.groups.add(listener.id, group);
  for (const [number, { desk }] of speakers.entries()) {
    await desk.clients.group(group).heard(group, number);
  }
  const { numbers } = listener.of(group);
  const isHeard = (): void =>
    expect(
      new Set(numbers),
      `of a group that ${asker.name} put a client of ${place.name} into`,
    ).toEqual(new Set(speakers.keys()));
  await vi.waitFor(isHeard, SOON);
}
