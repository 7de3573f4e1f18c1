/** A case by its factors: for instance `{ version: '8', transport: 'LongPolling' }`. */
export type Factors = Readonly<Record<string, string>>;

/**
 * A few of the cases, in which every pair of values of two factors occurs that occurs in all of
 * them. Takes first whatever has the most pairs that are new; of equals, the first in `cases`.
 */
export function choosePairwise<Case>(
  cases: readonly Case[],
  factorsOf: (one: Case) => Factors,
): Case[] {
  const all = cases.map((one) => ({ one, pairs: pairsOf(factorsOf(one)) }));
  const covered = new Set<string>();
  const chosen: Case[] = [];
  for (let gain = Math.max(0, ...all.map(({ pairs }) => pairs.length)); gain > 0; gain--) {
    for (const { one, pairs } of all) {
      if (pairs.filter((pair) => !covered.has(pair)).length < gain) continue;
      chosen.push(one);
      for (const pair of pairs) covered.add(pair);
    }
  }
  return chosen;
}

/** A text for each two of the factors. */
export function pairsOf(factors: Factors): string[] {
  const values = Object.entries(factors).map((factor) => JSON.stringify(factor));
  return values.flatMap((value, at) => values.slice(at + 1).map((other) => value + other));
}
