import { expect, test } from 'vitest';
import { SYSTEM_TIME } from '../system-time.ts';
import { turn } from './fixtures.test-support.ts';
import { TurnFlusher } from './turn-flusher.ts';

test('flushes at the end of the turn, once each, in the order they came', async () => {
  const flusher = new TurnFlusher(SYSTEM_TIME);
  const flushed: string[] = [];
  flusher.add({ flush: () => flushed.push('a') });
  flusher.add({ flush: () => flushed.push('b') });
  await Promise.resolve();
  expect(flushed).toEqual([]);
  await turn();
  expect(flushed).toEqual(['a', 'b']);
  await turn();
  expect(flushed).toEqual(['a', 'b']);
});

test('leaves what is added while it flushes to the next turn', async () => {
  const flusher = new TurnFlusher(SYSTEM_TIME);
  const flushed: string[] = [];
  const later = { flush: () => flushed.push('later') };
  flusher.add({
    flush: () => {
      flushed.push('first');
      flusher.add(later);
    },
  });
  await turn();
  expect(flushed).toEqual(['first']);
  await turn();
  expect(flushed).toEqual(['first', 'later']);
});
