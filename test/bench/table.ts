import type { Pair } from './compare.ts';

/** A figure the edge has to keep to, and what of the row it is about. */
export interface Floor {
  readonly of: 'edge' | 'ratio' | 'difference';
  readonly atMost: number;
}

export interface Row extends Pair {
  readonly name: string;
  readonly unit: string;
  /** Digits after the point; 1 when not given. */
  readonly digits?: number;
  readonly floor?: Floor;
}

const HEAD = ['', 'unit', 'edge', 'bare', 'edge/bare', 'edge-bare', 'floor', ''];
/** Numbers are aligned to the right, words to the left. */
const NUMBERS: ReadonlySet<string> = new Set(HEAD.slice(2, 6));

/** The table, columns aligned. A row's ratio and difference are of its medians, edge to bare. */
export function formatTable(rows: readonly Row[]): string {
  const lines = [HEAD, ...rows.map(formatRow)];
  const columns = HEAD.map((title, at) => {
    const cells = lines.map((line) => line[at] ?? '');
    const width = Math.max(...cells.map((cell) => cell.length));
    return cells.map((cell) => (NUMBERS.has(title) ? cell.padStart(width) : cell.padEnd(width)));
  });
  return lines
    .map((_, at) =>
      columns
        .map((cells) => cells[at])
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function formatRow({ name, unit, edge, bare, digits = 1, floor }: Row): string[] {
  const both = Number.isFinite(bare) && bare !== 0;
  const ratio = edge / bare;
  const difference = edge - bare;
  return [
    name,
    unit,
    edge.toFixed(digits),
    both ? bare.toFixed(digits) : '-',
    both ? ratio.toFixed(2) : '-',
    both ? difference.toFixed(digits) : '-',
    ...(floor === undefined ? ['', ''] : verdict(floor, { edge, ratio, difference })),
  ];
}

function verdict({ of, atMost }: Floor, figures: Record<Floor['of'], number>): string[] {
  return [`${of} <= ${atMost}`, figures[of] <= atMost ? 'pass' : 'FAIL'];
}
