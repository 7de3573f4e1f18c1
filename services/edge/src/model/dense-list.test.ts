import { expect, test } from 'vitest';
import { DenseList } from './dense-list.ts';

const item = (name: string) => ({ name, place: -1 });

test('items leave a list at once, from anywhere in it', () => {
  const list = new DenseList<'place', ReturnType<typeof item>>('place');
  const [a, b, c] = [item('a'), item('b'), item('c')];
  for (const one of [a, b, c]) list.add(one);
  list.delete(a);
  expect(list.items.map(({ name }) => name)).toEqual(['c', 'b']);
  expect([a.place, b.place, c.place]).toEqual([-1, 1, 0]);
  list.delete(b);
  expect([list.items, b.place, list.has(b), list.has(c)]).toEqual([[c], -1, false, true]);
});

test('an item that is in no list leaves it as it is', () => {
  const list = new DenseList<'place', ReturnType<typeof item>>('place');
  const [a, b] = [item('a'), item('b')];
  list.add(a);
  list.delete(b);
  list.delete(a);
  list.delete(a);
  list.add(b);
  expect([list.items, list.has(a), list.has(b)]).toEqual([[b], false, true]);
});
