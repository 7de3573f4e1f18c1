import { setTimeout as pass } from 'node:timers/promises';

import { expect, vi } from 'vitest';

import type { Engine } from '../engines.ts';
import type { Disturbance } from './disturbance.ts';
import { heardSince, hearings } from './hearing.ts';
import { expectJoinsToWork } from './joins.ts';
import { type Losses, lossesOf, lossesSince } from './losses.ts';
import { PATIENCE, type Place } from './place.ts';
import { Trio } from './trio.ts';
import { expectRulesToHold, sayRules } from './user-rules.ts';

/** How long all speak before it begins, and after all is right again. */
const CALM_MS = 1_000;
/** After so long edges that are silent count as gone. */
const GONE_MS = 5_500;

/** A disturbance that three edges have been through, and what came of it. Times are milliseconds. */
export interface Ordeal {
  readonly disturbance: Disturbance;
  readonly places: readonly Place[];
  readonly third: Place;
  readonly beganAt: number;
  readonly endedAt: number;
  /** When every client had heard something new of everybody, and when all else was right, too. */
  readonly heardAt: number;
  readonly rightAt: number;
  /** What each edge has counted, by its name. */
  readonly losses: ReadonlyMap<string, Losses>;
}

export async function goThrough(kind: Engine, disturbance: Disturbance): Promise<Ordeal> {
  await using trio = await Trio.start(kind);
  const { places, third } = trio;
  const edges = new Map(places.map(({ name, edge }) => [name, edge]));
  const before = new Map<string, Losses>();
  for (const [name, edge] of edges) before.set(name, await lossesOf(edge));
  trio.begin();
  await pass(CALM_MS);

  const beganAt = performance.now();
  await disturbance.begin(trio);
  await pass(GONE_MS);
  const rules = sayRules(places.filter((place) => !disturbance.stops || place !== third));
  await pass(disturbance.seconds * 1000 - GONE_MS);
  await disturbance.end(trio);
  const endedAt = performance.now();
  await disturbance.comeBack?.(trio);
  const heardAt = await vi.waitFor(() => whenAllHeard(places, endedAt), PATIENCE);
  await vi.waitFor(() => expectReady(places, endedAt), PATIENCE);
  await trio.knowEachOther();
  await vi.waitFor(() => expectJoinsToWork(places), PATIENCE);
  const rightAt = performance.now();
  await expectRulesToHold(places, await rules);

  await pass(CALM_MS);
  await trio.end();
  await vi.waitFor(() => expectLast(places), PATIENCE);
  const losses = new Map<string, Losses>();
  for (const { name, edge } of places) {
    // The counters of one that was started again began at 0.
    const known = edges.get(name) === edge ? before.get(name) : undefined;
    losses.set(name, lossesSince(known, await lossesOf(edge)));
  }
  return { disturbance, places, third, beganAt, endedAt, heardAt, rightAt, losses };
}

/** When the last client heard something new of the last who speaks to it. */
function whenAllHeard(places: readonly Place[], since: number): number {
  const all = [...hearings(places)].map((one) => ({ one, at: heardSince(one, since) }));
  const deaf = all.flatMap(({ one, at }) => (at === undefined ? [one.name] : []));
  expect(deaf, 'what is not heard').toEqual([]);
  return Math.max(...all.map(({ at = Infinity }) => at));
}

function expectReady(places: readonly Place[], since: number): void {
  const unready = places.filter(({ readiness }) => {
    const { at, status } = readiness.answers.at(-1)!;
    return at < since || status !== 200;
  });
  expect(
    unready.map(({ name }) => name),
    'edges that are not ready',
  ).toEqual([]);
}

/** The last that was said has come. */
function expectLast(places: readonly Place[]): void {
  const behind = [...hearings(places)].filter(
    ({ stream, heard }) => heard.numbers.at(-1) !== stream.saidAt.length - 1,
  );
  expect(
    behind.map(({ name }) => name),
    'what has not come',
  ).toEqual([]);
}
