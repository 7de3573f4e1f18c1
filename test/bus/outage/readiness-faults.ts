import type { Ordeal } from './ordeal.ts';
import type { Place } from './place.ts';

/** An edge goes on without the engine for 3 s, and it may take another 3 s until it misses one that is frozen. */
const UNREADY_AFTER_MS = 3_000;
/** Of a look at it, which takes some time, too. */
const SLACK_MS = 250;

/** Edges without the engine that did not say after 3 s that they are not ready, and others that did. */
export function readinessFaults(ordeal: Ordeal): string[] {
  return ordeal.places.flatMap((place) => faultsOf(place, ordeal));
}

function faultsOf(place: Place, ordeal: Ordeal): string[] {
  const { disturbance, third, beganAt, endedAt } = ordeal;
  const { name, readiness } = place;
  const isTouched = disturbance.happensTo === 'the engine' || place === third;
  // Who does not answer at all says nothing of it.
  if (isTouched && disturbance.stops) return [];
  const unready = readiness.answers.find(({ at, status }) => at > beganAt && status === 503);
  if (unready === undefined) return isTouched ? [`${name} was ready all the while`] : [];
  const after = Math.round(unready.answeredAt - beganAt);
  const isInTime = after > UNREADY_AFTER_MS - SLACK_MS && unready.at < endedAt;
  return isTouched && isInTime ? [] : [`${name} was not ready after ${after} ms`];
}
