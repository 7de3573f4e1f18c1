import { describe, expect, test } from 'vitest';

import type { EdgeReport } from './edge-report.ts';
import { isMissed } from './edge-report.ts';
import { PoolConnections } from './pool-connections.ts';
import type { ServerConnection } from './server-connection.ts';

const report = (edge: string, members: string): EdgeReport => ({
  edge,
  others: 0,
  urls: new Map(),
  members: new Set(members),
});

/** A letter for each edge. */
const missed = (reports: Readonly<Record<string, string>>): string => {
  const all = Object.entries(reports).map(([edge, members]) => report(edge, members));
  return all
    .filter((one) => isMissed(one, all))
    .map(({ edge }) => edge)
    .join('');
};

describe('which edges others miss', () => {
  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['none where all are there', { a: 'abc', b: 'abc', c: 'abc' }, ''],
    ['one that is frozen, and holds the last that it knew for true', { a: 'abc', b: 'bc' }, 'a'],
    ['one that is cut off', { a: 'a', b: 'bc', c: 'bc' }, 'a'],
    ['one that is cut off, by the word of one other', { a: 'a', b: 'bc' }, 'a'],
    ['both of two that are cut off from each other', { a: 'a', b: 'b' }, 'ab'],
    ['none that only a newcomer does not know yet', { a: 'a', b: 'abc', c: 'abc' }, ''],
    ['none as long as half of the others have it', { a: 'abc', b: 'bc', c: 'abc' }, ''],
    ['none by the word of one that lists nobody', { a: 'ab', b: '' }, ''],
    ['none where there is one report', { a: 'b' }, ''],
  ])('%s', (_what, reports, expected) => {
    expect(missed(reports)).toBe(expected);
  });

  test('the latest report of an edge counts, of several connections to it', () => {
    const a = report('a', 'abc');
    expect(isMissed(a, [a, report('b', 'bc'), report('b', 'abc')])).toBe(false);
    expect(isMissed(a, [a, report('b', 'abc'), report('b', 'bc')])).toBe(true);
  });
});

/** Of a pool with as many slots as the first has letters, each an edge; `-` is one without a connection. */
function pool(slots: string, extra: string) {
  const connections = new PoolConnections(slots.length);
  const add = (edge: string): ServerConnection =>
    ({ open: true, edges: report(edge, 'abc'), isMissed: false }) as ServerConnection;
  for (const [at, edge] of slots.split('').entries()) {
    if (edge !== '-') connections.slots[at] = add(edge);
  }
  for (const edge of extra) connections.extra.add(add(edge));
  const says = (edge: string, members: string): void => {
    for (const one of connections.all()) {
      if (one.edges?.edge === edge) one.edges = report(edge, members);
    }
    connections.compareReports();
  };
  return { connections, says };
}

/** The edges that the work of a hundred keys goes to. */
const taken = (connections: PoolConnections): string =>
  [
    ...new Set(
      Array.from({ length: 100 }, (_, key) => connections.find(`${key}`)?.edges?.edge ?? '-'),
    ),
  ]
    .toSorted()
    .join('');

describe('which connection takes the work of a key', () => {
  test('one of the slots, always the same, that of another key another one', () => {
    const { connections } = pool('ab', 'c');
    expect(taken(connections)).toBe('ab');
    expect(connections.find('key')).toBe(connections.find('key'));
  });

  test('one without a slot where no slot has any', () => {
    const { connections } = pool('--', 'c');
    expect(taken(connections)).toBe('c');
    expect(taken(pool('--', '').connections)).toBe('-');
  });

  test('one of an edge that is not missed, if there is any', () => {
    const { connections, says } = pool('aab', 'c');
    says('b', 'bc');
    says('c', 'bc');
    expect(taken(connections)).toBe('b');
    connections.slots[2] = undefined;
    connections.compareReports();
    expect(taken(connections)).toBe('c');
    // What an edge has said ends with the connection to it.
    connections.extra.clear();
    connections.compareReports();
    expect(connections.slots.map((one) => one?.isMissed)).toEqual([false, false, undefined]);
    expect(taken(connections)).toBe('a');
  });

  test('any where all are missed', () => {
    const { connections, says } = pool('ab', '');
    says('a', 'a');
    says('b', 'b');
    expect(taken(connections)).toBe('ab');
  });
});
