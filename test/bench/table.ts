import { type Pair, SIDE_NAMES, type SideNames } from './compare.ts';

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
  readonly floor?: Floor | undefined;
}

/** For sides that the floors, which are about an edge beside a bare server, say nothing of. */
export function withoutFloor(row: Row): Row {
  return { ...row, floor: undefined };
}

/** Columns of numbers, which are aligned to the right; words are to the left. */
const [FIRST_NUMBER, LAST_NUMBER] = [2, 5];

/** The table, columns aligned. A row's ratio and difference are of its medians, edge to bare. */
export function formatTable(rows: readonly Row[], sideNames: SideNames = SIDE_NAMES): string {
  const [edge, bare] = sideNames;
  const head = ['', 'unit', edge, bare, `${edge}/${bare}`, `${edge}-${bare}`, 'floor', ''];
  const lines = [head, ...rows.map((row) => formatRow(row, edge))];
  const columns = head.map((_, at) => {
    const isNumber = at >= FIRST_NUMBER && at <= LAST_NUMBER;
    const cells = lines.map((line) => line[at] ?? '');
    const width = Math.max(...cells.map((cell) => cell.length));
    return cells.map((cell) => (isNumber ? cell.padStart(width) : cell.padEnd(width)));
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

function formatRow({ name, unit, edge, bare, digits = 1, floor }: Row, edgeName: string): string[] {
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
    ...(floor === undefined ? ['', ''] : verdict(floor, { edge, ratio, difference }, edgeName)),
  ];
}

function verdict(
  { of, atMost }: Floor,
  figures: Record<Floor['of'], number>,
  edgeName: string,
): string[] {
  return [`${of === 'edge' ? edgeName : of} <= ${atMost}`, figures[of] <= atMost ? 'pass' : 'FAIL'];
}
