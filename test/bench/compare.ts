import { progress } from './progress.ts';
import type { Side, StartSide } from './side.ts';

/** What is measured: the edge first, then what it is held against. */
export interface Contenders {
  readonly edge: StartSide;
  readonly bare: StartSide;
}

/** One figure of both sides. */
export interface Pair {
  readonly edge: number;
  readonly bare: number;
}

/** Both sides, running. */
export type Sides = Readonly<Record<keyof Contenders, Side>>;

type Figures<Name extends string> = Readonly<Record<Name, number>>;

/**
 * Measures the two sides in turn, edge, bare, edge, bare ..., and gives the median of each figure.
 * The sides take turns so that a busy spell of the machine meets both.
 */
export async function alternate<Name extends string>(
  rounds: number,
  label: string,
  measure: (side: keyof Contenders) => Promise<Figures<Name>>,
): Promise<Record<Name, Pair>> {
  const edge: Figures<Name>[] = [];
  const bare: Figures<Name>[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const [name, figures] of [['edge', edge] as const, ['bare', bare] as const]) {
      progress(`${label}: round ${round} of ${rounds}, ${name}`);
      figures.push(await measure(name));
    }
  }
  const names = Object.keys(edge[0] ?? {}) as Name[];
  const pair = (name: Name): Pair => ({
    edge: median(edge.map((figures) => figures[name])),
    bare: median(bare.map((figures) => figures[name])),
  });
  return Object.fromEntries(names.map((name) => [name, pair(name)])) as Record<Name, Pair>;
}

/** Starts both sides for the length of a comparison. */
export async function withSides<T>(
  { edge, bare }: Contenders,
  work: Parameters<StartSide>[0],
  use: (sides: Sides) => Promise<T>,
): Promise<T> {
  const edgeSide = await edge(work);
  try {
    const bareSide = await bare(work);
    try {
      return await use({ edge: edgeSide, bare: bareSide });
    } finally {
      await bareSide.stop();
    }
  } finally {
    await edgeSide.stop();
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}
