import type { Heard, Listener } from './listener.ts';
import type { Place } from './place.ts';
import type { Stream } from './speech.ts';

/** A stream, and a client that it is for. */
export interface Hearing {
  readonly speaker: Place;
  readonly stream: Stream;
  /** Where the client is. */
  readonly place: Place;
  readonly listener: Listener;
  readonly heard: Heard;
  /** For people: what is heard where. */
  readonly name: string;
}

/** Everything that clients of now are to hear. */
export function* hearings(places: readonly Place[]): Generator<Hearing> {
  for (const speaker of places) {
    for (const stream of speaker.speech.streams) {
      for (const place of places) {
        for (const [n, listener] of place.listeners.entries()) {
          if (stream.user !== undefined && stream.user !== listener.userId) continue;
          const name = `'${stream.name}' at client ${place.name}${n}`;
          const heard = listener.of(stream.name);
          yield { speaker, stream, place, listener, heard, name };
        }
      }
    }
  }
}

/** Numbers that were said and not heard; of a client that came later, those since its first. */
export function missing({ stream, heard }: Hearing, isNew: boolean): number[] {
  const known = new Set(heard.numbers);
  const first = isNew ? (heard.numbers[0] ?? 0) : 0;
  return [...stream.saidAt.keys()].filter(
    (number) => number >= first && !known.has(number) && !stream.refused.has(number),
  );
}

/** The first number that came again, or behind a later one, if there is one. */
export function outOfOrder({ heard: { numbers } }: Hearing): number | undefined {
  return numbers.find((number, at) => at > 0 && number <= numbers[at - 1]!);
}

/** When the client first heard something that was said after a moment; undefined: not yet. */
export function heardSince({ stream, heard }: Hearing, since: number): number | undefined {
  const at = heard.numbers.findIndex((number) => stream.saidAt[number]! >= since);
  return at < 0 ? undefined : heard.at[at];
}
