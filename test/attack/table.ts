import { KEPT_BYTES, type Row } from './measure.ts';

const P99_MS = 50;
const MB = 1_000_000;
const BEGIN = '<!-- attack:begin -->';
const END = '<!-- attack:end -->';

/** What a row breaks: nothing when it holds. */
export function breaches({ felt, memory }: Row): string[] {
  const found: string[] = [];
  if (!(felt.p99 <= P99_MS)) found.push(`p99 is above ${P99_MS} ms`);
  if (felt.refused > 0) found.push('somebody else was refused');
  if (memory.after > memory.before + KEPT_BYTES) found.push('memory is not back');
  return found;
}

const HEAD = [
  'attack',
  'sockets/s',
  'MB/s',
  'p50 ms',
  'p99 ms',
  'refused',
  'slowest newcomer ms',
  'memory before, most, after in MB',
  'back within s',
  '',
];

const megabytes = ({ memory }: Row): string =>
  [memory.before, memory.most, memory.after].map((bytes) => (bytes / MB).toFixed(0)).join(', ');

const verdict = (row: Row): string => breaches(row).join('; ') || 'holds';

/** A row in short. */
export function summary(row: Row): string {
  const { p50, p99, refused } = row.felt;
  const times = `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${refused} refused`;
  return `${times}, ${megabytes(row)} MB: ${verdict(row)}`;
}

function cells(row: Row): string[] {
  const { attack, seconds, cost, felt, memory } = row;
  return [
    `${attack.what} (\`${attack.name}\`)`,
    (cost.sockets / seconds).toFixed(0),
    (cost.bytes / MB / seconds).toFixed(2),
    felt.p50.toFixed(1),
    felt.p99.toFixed(1),
    `${felt.refused} of ${felt.calls + felt.refused}`,
    felt.slowestNewcomer.toFixed(0),
    megabytes(row),
    (memory.afterMs / 1000).toFixed(1),
    verdict(row),
  ];
}

/** As Markdown. */
export function formatTable(rows: readonly Row[]): string {
  const alignment = HEAD.map((_, at) => (at === 0 || at === HEAD.length - 1 ? '---' : '---:'));
  return [HEAD, alignment, ...rows.map(cells)].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

/** The page with `text` between its markers. Throws when it has none. */
export function withTable(page: string, text: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`the page has no ${BEGIN} before an ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n${text}\n${page.slice(end)}`;
}
