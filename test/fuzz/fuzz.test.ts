import { expect, it } from 'vitest';

import { isError } from './watch.ts';
import { fuzz } from './run.ts';

/** A fixed seed: what is red here is red again. `npm run fuzz` looks for what is new. */
const SEED = 1;
const MINUTES = 0.5;

it('half a minute of changed traffic hurts nobody', { timeout: 240_000 }, async () => {
  const outcome = await fuzz({
    seed: SEED,
    minutes: MINUTES,
    first: 0,
    count: Infinity,
    signal: new AbortController().signal,
    progress: () => {},
  });
  expect(outcome.findings).toEqual([]);
  // Loaded as the machine may be: all that counts is that something has been tried, and heard.
  expect(outcome.inputs).toBeGreaterThan(20);
  expect(outcome.calls).toBeGreaterThan(10);
});

it('tells errors of a process from what its log says of peers', () => {
  const stack = '    at Codec.read (file:///app/dist/codec.js:10:5)';
  const errors = [stack, 'trunkline-edge: TypeError: x', '{"level":"error","msg":"uncaught"}'];
  expect(errors.map(isError)).toEqual([true, true, true]);
  const peer = '{"level":"warn","msg":"refused","err":"a line at the end of it"}';
  expect([peer, 'WARNING: this access key is known'].map(isError)).toEqual([false, false]);
});
