import { type Hearing, hearings, missing, outOfOrder } from './hearing.ts';
import type { Ordeal } from './ordeal.ts';
import type { Place } from './place.ts';

// What was not as it should have been, each in a line for people.

/** For so long messages are kept, less what it takes to notice that all is heard again. */
const SURELY_KEPT_MS = 4_000;
/** Two seconds of speech of one app server, far more than is under way at any time. */
const UNDERWAY = 120;

/** The clients of the place are others than before. */
const isNew = ({ former }: Place): boolean => former.length > 0;

/** Nothing has happened between the two, or within the one. */
function isUntouched({ disturbance, third }: Ordeal, { speaker, place }: Hearing): boolean {
  if (speaker === place) return !isNew(place);
  return disturbance.happensTo === 'the third edge' && speaker !== third && place !== third;
}

function all(ordeal: Ordeal, which: (one: Hearing) => boolean): Hearing[] {
  return [...hearings(ordeal.places)].filter(which);
}

/** What is said at the edge that a client is at comes; its calls are answered, and it stays connected. */
export function localFaults(ordeal: Ordeal): string[] {
  const local = all(ordeal, (one) => one.speaker === one.place && isUntouched(ordeal, one));
  return [...local.flatMap(lossOf), ...ordeal.places.flatMap(clientFaults)];
}

function clientFaults({ name, listeners }: Place): string[] {
  return listeners.flatMap(({ failures, answers, ended }) => [
    ...failures.map((failure) => `client of ${name}: ${failure}`),
    ...(answers === 0 ? [`client of ${name}: no call was answered`] : []),
    ...(ended === undefined ? [] : [`client of ${name}: its connection ended, ${ended}`]),
  ]);
}

/** Edges that nothing happens to, if there are any, hear each other all the while. */
export function faultsBetween(ordeal: Ordeal): string[] {
  const between = all(ordeal, (one) => one.speaker !== one.place && isUntouched(ordeal, one));
  return between.flatMap(lossOf);
}

function lossOf(one: Hearing): string[] {
  const lost = missing(one, false);
  const { refused } = one.stream;
  return [
    ...(lost.length > 0 ? [`${one.name}: ${lost.length} lost, from ${lost[0]} on`] : []),
    ...(refused.size > 0 ? [`${one.name}: ${refused.size} refused`] : []),
  ];
}

/** What came twice, or behind what was said later. */
export function disorder(ordeal: Ordeal): string[] {
  return all(ordeal, () => true).flatMap((one) => {
    const number = outOfOrder(one);
    return number === undefined ? [] : [`${one.name}: ${number}`];
  });
}

/** What is missing somewhere, and neither the edge there nor that of the speaker has counted a loss. */
export function uncountedLosses(ordeal: Ordeal): string[] {
  const count = ({ name }: Place): number => ordeal.losses.get(name)!.size;
  const isSilent = (one: Hearing): boolean =>
    missing(one, isNew(one.place)).length > 0 && count(one.speaker) + count(one.place) === 0;
  return all(ordeal, isSilent).map(({ name }) => name);
}

/**
 * What an edge says that alone is cut off waits for 5 s: the latest comes when it is back, and what was dropped
 * is counted there, message by message, but for what was under way at the cut.
 */
export function faultsOfKeeping(ordeal: Ordeal): string[] {
  const { disturbance, third, endedAt, heardAt, losses } = ordeal;
  const keptSince = heardAt - SURELY_KEPT_MS;
  if (disturbance.happensTo === 'the engine' || disturbance.stops) return [];
  const lost = new Set<string>();
  const faults: string[] = [];
  for (const one of all(ordeal, ({ speaker, place }) => speaker === third && place !== third)) {
    const { name, saidAt } = one.stream;
    const numbers = missing(one, false);
    for (const number of numbers) lost.add(`${name} ${number}`);
    const late = numbers.filter(
      (number) => saidAt[number]! > keptSince && saidAt[number]! < endedAt,
    );
    if (late.length > 0) faults.push(`${one.name}: ${late.length} of the latest lost`);
  }
  const dropped = losses.get(third.name)!.get('dropped stale') ?? 0;
  const isCounted = lost.size - dropped < UNDERWAY;
  return isCounted ? faults : [...faults, `${lost.size} lost, and ${dropped} counted as dropped`];
}
