import { expect, vi } from 'vitest';

import { PATIENCE, type Place } from './place.ts';

const NEWCOMER = 'newcomer';

/**
 * Each app server puts a user into a group who is not there yet. Resolves with the groups for which
 * that was confirmed.
 */
export async function sayRules(places: readonly Place[]): Promise<string[]> {
  const said = await Promise.allSettled(
    places.map(async ({ name, desk }) => {
      const group = `rule of ${name}`;
      await desk.userGroups.add(NEWCOMER, group);
      return group;
    }),
  );
  return said.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

/** Wherever the user comes then, it is in those groups. */
export async function expectRulesToHold(
  places: readonly Place[],
  groups: readonly string[],
): Promise<void> {
  const [{ desk }] = places as [Place];
  const newcomers = await Promise.all(places.map((place) => place.connect(NEWCOMER)));
  const inVain = (): string[] =>
    groups.flatMap((group) =>
      places
        .filter((_place, at) => newcomers[at]!.of(group).numbers.length === 0)
        .map(({ name }) => `'${group}' at ${name}`),
    );
  await vi.waitFor(async () => {
    for (const group of groups) await desk.clients.group(group).heard(group, 0);
    expect(inVain(), 'groups of a user that its client is not in').toEqual([]);
  }, PATIENCE);
  await Promise.all(newcomers.map((newcomer) => newcomer.stop()));
}
