import { hearings, missing } from './hearing.ts';
import type { Ordeal } from './ordeal.ts';
import type { Question } from './inquiry.ts';

/** What was measured, for people. */
export function figuresOf(ordeal: Ordeal): string {
  const { disturbance, beganAt, endedAt, heardAt, rightAt, losses } = ordeal;
  const { said, lost } = countLost(ordeal);
  const counted = [...losses].map(
    ([name, counts]) =>
      `${name} ${[...counts].map((one) => one.join(' ')).join(', ') || 'nothing'}`,
  );
  return [
    disturbance.what,
    `longest wait for an answer ${longestWait(ordeal, beganAt - 500)}`,
    `of those asked after 5 s ${longestWait(ordeal, beganAt + 5_000)}`,
    `not ready after ${unreadyAfter(ordeal)}`,
    `all heard again after ${rounded(heardAt - endedAt)}`,
    `all right again after ${rounded(rightAt - endedAt)}`,
    `${lost} of ${said} messages missed somewhere`,
    `counted: ${counted.join('; ')}`,
  ].join('\n');
}

const rounded = (ms: number): string => `${Math.round(ms)} ms`;

/** Of questions since a moment, at edges that could answer. */
function longestWait({ disturbance, places, third, endedAt }: Ordeal, since: number): string {
  const askers = places.filter((place) => !disturbance.stops || place !== third);
  const isIn = ({ askedAt }: Question): boolean => askedAt >= since && askedAt < endedAt;
  const asked = askers.flatMap(({ inquiry }) => inquiry.questions.filter(isIn));
  return rounded(Math.max(0, ...asked.map(({ ms = Infinity }) => ms)));
}

/** When the first edge said so. */
function unreadyAfter({ places, beganAt, endedAt }: Ordeal): string {
  const unready = places.flatMap(({ readiness }) =>
    // Later, one that was started again says so, too.
    readiness.answers.filter(({ at, status }) => at > beganAt && at < endedAt && status === 503),
  );
  return unready.length === 0
    ? 'never'
    : rounded(Math.min(...unready.map(({ at }) => at)) - beganAt);
}

/** Messages that somebody did not hear who was to. */
function countLost({ places }: Ordeal): { said: number; lost: number } {
  const lost = new Set<string>();
  for (const one of hearings(places)) {
    const isNew = one.place.former.length > 0;
    for (const number of missing(one, isNew)) lost.add(`${one.stream.name} ${number}`);
  }
  const streams = places.flatMap(({ speech }) => speech.streams);
  const said = streams.reduce((sum, { saidAt, refused }) => sum + saidAt.length - refused.size, 0);
  return { said, lost: lost.size };
}
