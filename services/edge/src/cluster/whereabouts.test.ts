import { beforeEach, expect, test } from 'vitest';
import { Whereabouts } from './whereabouts.ts';

const idOf = (tag: string, n = 0): string => tag + String(n).padStart(16, '0');

/** That an app server of this edge serves. */
const GUEST = idOf('taga', 7);

let edges: string[];
let handsOver: Set<string>;
let whereabouts: Whereabouts;

beforeEach(() => {
  edges = ['a', 'b'];
  handsOver = new Set();
  whereabouts = new Whereabouts(
    {
      get edges() {
        return edges;
      },
      tag: 'self',
      withTag: (tag) => (tag.startsWith('tag') ? tag.slice(3) : undefined),
      statusOf: (edgeId) => ({ handsOver: handsOver.has(edgeId) }),
    },
    () => handsOver.has('self'),
    (id) => (id === GUEST ? 'b' : undefined),
  );
});

/** Undefined: anywhere. */
const placesOf = (...ids: string[]): string[] | undefined => {
  const found = whereabouts.edgesOf(ids);
  return found && [...found];
};

test('a guest is at its edge, wherever its id was minted', () => {
  whereabouts.scattered('taga');
  expect(placesOf(GUEST)).toEqual(['b']);
});

test('a connection is where its id was minted, as long as none of that edge is elsewhere', () => {
  expect(placesOf(idOf('taga'), idOf('tagb'), idOf('taga', 1))).toEqual(['a', 'b']);
  handsOver.add('b');
  expect(placesOf(idOf('taga'))).toEqual(['a']);
  expect(placesOf(idOf('taga'), idOf('tagb'))).toBeUndefined();
  whereabouts.scattered('taga');
  expect(placesOf(idOf('taga'))).toBeUndefined();
});

test('one of an edge that is gone, or not known, may be anywhere', () => {
  edges = ['b'];
  expect(placesOf(idOf('taga'))).toBeUndefined();
  expect(placesOf(idOf('what'))).toBeUndefined();
});

test('one of this edge is nowhere else unless it hands ids over; no id is nowhere', () => {
  expect(placesOf(idOf('self'), 'no id')).toEqual([]);
  handsOver.add('self');
  expect(placesOf(idOf('self'))).toBeUndefined();
});

test('is known when its edge has said so, until that edge is lost', () => {
  handsOver.add('a');
  whereabouts.located(idOf('taga'), 'b');
  expect(placesOf(idOf('taga'))).toEqual(['b']);
  whereabouts.edgeLost('b');
  expect(placesOf(idOf('taga'))).toBeUndefined();
});

test('of very many the ones that were used last are known', () => {
  handsOver.add('a');
  for (let n = 0; n < 50_000; n++) whereabouts.located(idOf('taga', n), 'b');
  expect(placesOf(idOf('taga', 0))).toEqual(['b']);
  whereabouts.located(idOf('taga', 50_000), 'b');
  expect(placesOf(idOf('taga', 1))).toBeUndefined();
  expect(placesOf(idOf('taga', 0))).toEqual(['b']);
});

test('of very many tags that are anywhere the last thousand are remembered', () => {
  const tagOf = (n: number): string => `x${String(n).padStart(3, '0')}`;
  edges = [];
  whereabouts.scattered('taga');
  edges = ['a'];
  for (let n = 0; n < 999; n++) whereabouts.scattered(tagOf(n));
  expect(placesOf(idOf('taga'))).toBeUndefined();
  whereabouts.scattered(tagOf(999));
  expect(placesOf(idOf('taga'))).toEqual(['a']);
});
