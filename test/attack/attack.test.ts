import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { readArguments } from './arguments.ts';
import { ATTACKS } from './attacks.ts';
import type { Row } from './measure.ts';
import { breaches, formatTable, withTable } from './table.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const PAGE = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8');
const MB = 1_000_000;

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: readonly string[], interruptAt?: string): Promise<Run> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (interruptAt !== undefined && said.includes(interruptAt)) child.kill('SIGINT');
  });
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    exited,
  ]);
  return { code, stdout, stderr };
}

/** Cells of a table's rows, head and alignment aside. */
const rowsOf = (table: string): string[][] =>
  [...table.matchAll(/^\| (.+) \|$/gm)].slice(2).map(([, cells]) => cells!.split(' | '));

function row(changes: { p99?: number; refused?: number; after?: number } = {}): Row {
  const { p99 = 50, refused = 0, after = 100 * MB } = changes;
  return {
    attack: ATTACKS[0]!,
    seconds: 10,
    cost: { sockets: 3_000, bytes: 5 * MB },
    felt: { p50: 1.26, p99, calls: 1_000 - refused, refused, slowestNewcomer: 12.4 },
    memory: { before: 100 * MB, most: 300 * MB, after, afterMs: 1_540 },
  };
}

describe('a row', () => {
  it('says what it breaks', () => {
    expect(breaches(row())).toEqual([]);
    expect(breaches(row({ p99: 50.1 }))).toEqual(['p99 is above 50 ms']);
    expect(breaches(row({ p99: Number.NaN }))).toEqual(['p99 is above 50 ms']);
    expect(breaches(row({ refused: 1 }))).toEqual(['somebody else was refused']);
    expect(breaches(row({ after: 132 * MB }))).toEqual([]);
    expect(breaches(row({ after: 134 * MB }))).toEqual(['memory is not back']);
  });

  it('has rates per second, and memory in MB', () => {
    expect(rowsOf(formatTable([row({ refused: 1 })]))).toEqual([
      [
        'none (`quiet`)',
        '300',
        '0.50',
        '1.3',
        '50.0',
        '1 of 1000',
        '12',
        '100, 300, 100',
        '1.5',
        'somebody else was refused',
      ],
    ]);
  });
});

it('a page has the table between its markers', () => {
  expect(withTable('a <!-- attack:begin -->old<!-- attack:end --> b', 'new')).toBe(
    'a <!-- attack:begin -->\nnew\n<!-- attack:end --> b',
  );
  expect(() => withTable('no markers', 'new')).toThrow('attack:begin');
  expect(withTable(PAGE, 'new')).toContain('-->\nnew\n<!--');
});

it('the page has a row for every attack', () => {
  const [, table = ''] = /<!-- attack:begin -->(.*)<!-- attack:end -->/s.exec(PAGE) ?? [];
  const named = rowsOf(table).map(([attack]) => attack);
  expect(named).toEqual(ATTACKS.map(({ name, what }) => `${what} (\`${name}\`)`));
});

describe.skipIf(process.platform !== 'linux')('npm run attack', () => {
  it('attacks, measures and counts', { timeout: 180_000 }, async () => {
    // While other tests run, they leave nothing for who gets what others leave.
    const run_ = await run(['--seconds', '5', '--only', 'post-heads', '--nice', '0']);
    const rows = rowsOf(run_.stdout);
    expect(run_.stderr).not.toContain('could not be measured');
    expect(rows.map(([attack]) => attack)).toEqual([expect.stringContaining('(`post-heads`)')]);
    for (const [, , megabytes, p50, p99, refused, , memory, back, verdict] of rows) {
      expect(Number(megabytes)).toBeGreaterThan(0);
      expect(Number(p50)).toBeGreaterThan(0);
      expect(Number(p99)).toBeGreaterThanOrEqual(Number(p50));
      expect(refused).toMatch(/^\d+ of [1-9]\d*$/);
      expect(memory).toMatch(/^[1-9]\d+, [1-9]\d+, [1-9]\d+$/);
      expect(Number(back)).toBeLessThanOrEqual(31);
      expect(verdict).not.toBe('');
    }
    expect(Number(rows[0]![1]), 'sockets a second of the heads').toBeGreaterThan(0);
    const holds = rows.every((cells) => cells.at(-1) === 'holds');
    expect(run_.code).toBe(holds ? 0 : 1);
  });

  it('ends at SIGINT, with 1 because rows are missing', { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await run(['--only', 'quiet'], 'prepares');
    expect(stderr).toContain('stops ...');
    expect(rowsOf(stdout)).toEqual([]);
    expect(code).toBe(1);
  });

  it('refuses what it cannot do, in one line', async () => {
    expect(await run(['--only', 'nothing'])).toEqual({
      code: 1,
      stdout: '',
      stderr: "attack: there is no attack 'nothing': see --help\n",
    });
  });
});

describe('arguments', () => {
  it('are all attacks for ten seconds, by who gets what others leave, where nothing is said', () => {
    expect(readArguments([])).toEqual({
      help: false,
      attacks: ATTACKS,
      seconds: 10,
      nice: 19,
      write: false,
    });
  });

  it.each([
    [['--only', 'quiet,nothing'], "there is no attack 'nothing': see --help"],
    [['--seconds', '0'], '--seconds takes a number from 1 to 600'],
    [['--nice', '20'], '--nice takes a whole number from 0 to 19'],
    [['--nice', '-1'], '--nice'],
    [['--write', '--only', 'quiet'], '--write writes the whole table: leave --only away'],
  ])('%j is refused', (args, says) => {
    expect(() => readArguments(args)).toThrow(says);
  });
});
