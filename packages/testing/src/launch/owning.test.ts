import { expect, test } from 'vitest';

import { owning } from './owning.ts';

function scene() {
  const ended: string[] = [];
  const resource = (name: string): AsyncDisposable => ({
    [Symbol.asyncDispose]: async () => void ended.push(name),
  });
  return { ended, resource };
}

test('what was owned ends with what was made, the last first', async () => {
  const { ended, resource } = scene();
  const made = await owning(async (own) => {
    own(resource('the ground'));
    own(resource('a house'));
    return { rooms: 3 };
  });
  expect(made.rooms).toBe(3);
  expect(ended).toEqual([]);
  await made[Symbol.asyncDispose]();
  expect(ended).toEqual(['a house', 'the ground']);
});

test('what was owned ends at once when the rest fails', async () => {
  const { ended, resource } = scene();
  const making = owning(async (own) => {
    own(resource('the ground'));
    throw new Error('it rains');
  });
  await expect(making).rejects.toThrow('it rains');
  expect(ended).toEqual(['the ground']);
});
