import type { Ordeal } from './ordeal.ts';

/** The promise is 3 s, and machines are busy. */
const LONGEST_ANSWER_MS = 6_000;
/** Once an edge counts as gone nobody asks it. */
const COUNTS_AS_GONE_MS = 6_000;
const PROMPT_ANSWER_MS = 2_900;

/** Questions that had to wait for who does not answer, and later ones that waited at all. */
export function lateAnswers({ places, third, disturbance, beganAt, endedAt }: Ordeal): string[] {
  const askers = places.filter((place) => !disturbance.stops || place !== third);
  return askers.flatMap(({ name, inquiry }) =>
    inquiry.questions.flatMap(({ kind, about = 'nobody', askedAt, ms = Infinity }) => {
      const isAfter = askedAt > beganAt + COUNTS_AS_GONE_MS && askedAt < endedAt;
      if (ms <= (isAfter ? PROMPT_ANSWER_MS : LONGEST_ANSWER_MS)) return [];
      return [`${kind} of ${about}, asked at ${name}: ${Math.round(ms)} ms`];
    }),
  );
}

/** What edges that nothing happens to ask of each other, and is not answered with yes. */
export function wrongAnswers({ disturbance, places, third }: Ordeal): string[] {
  if (disturbance.happensTo === 'the engine') return [];
  const askers = places.filter((place) => place !== third);
  return askers.flatMap(({ name, inquiry }) =>
    inquiry.questions
      .filter(({ kind, about }) => about !== third.name && kind !== 'nobody')
      .filter(({ kind, answer }) => answer !== (kind === 'join' ? undefined : true))
      .map(({ kind, about, answer }) => `${kind} of ${about}, asked at ${name}: ${String(answer)}`),
  );
}
