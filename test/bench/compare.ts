import { progress } from './progress.ts';
import type { StartSide, Stoppable } from './side.ts';

/** Something of each side: `edge` is what is measured, `bare` what it is held against. */
export interface Both<T> {
  readonly edge: T;
  readonly bare: T;
}

/** How tables and progress call the two sides. */
export type SideNames = readonly [edge: string, bare: string];

export const SIDE_NAMES: SideNames = ['edge', 'bare'];

/** Who is measured, and who it is held against. */
export interface Contenders extends Both<StartSide> {
  readonly names: SideNames;
}

/** One figure of both sides. */
export type Pair = Both<number>;

type Figures<Name extends string> = Readonly<Record<Name, number>>;

/**
 * Measures the two sides in turn, edge, bare, edge, bare ..., and gives the median of each figure.
 * The sides take turns so that a busy spell of the machine meets both.
 */
export async function alternate<Name extends string>(
  rounds: number,
  names: SideNames,
  label: string,
  measure: (side: keyof Pair) => Promise<Figures<Name>>,
): Promise<Record<Name, Pair>> {
  const edge: Figures<Name>[] = [];
  const bare: Figures<Name>[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const [at, figures] of [edge, bare].entries()) {
      progress(`${label}: round ${round} of ${rounds}, ${names[at]}`);
      figures.push(await measure(at === 0 ? 'edge' : 'bare'));
    }
  }
  const figureNames = Object.keys(edge[0] ?? {}) as Name[];
  const pair = (name: Name): Pair => ({
    edge: median(edge.map((figures) => figures[name])),
    bare: median(bare.map((figures) => figures[name])),
  });
  return Object.fromEntries(figureNames.map((name) => [name, pair(name)])) as Record<Name, Pair>;
}

/** Starts both sides for the length of a comparison. */
export async function withSides<Work, Side extends Stoppable, T>(
  { edge, bare }: Both<(work: Work) => Promise<Side>>,
  work: Work,
  use: (sides: Both<Side>) => Promise<T>,
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
