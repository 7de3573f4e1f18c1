import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { METRICS } from './catalogue.ts';
import { Histogram } from './histogram.ts';

const NAME = 'trunkline_fanout_recipients';

test('a value on a bound belongs to its bucket, one above the last to +Inf only', () => {
  const histogram = new Histogram(NAME);
  histogram.observe(10);
  histogram.observe(11, 3);
  histogram.observe(100_001);
  expect(histogram.cumulative()).toEqual([
    [0, 0],
    [1, 0],
    [10, 1],
    [100, 4],
    [1000, 4],
    [10_000, 4],
    [100_000, 4],
    [Infinity, 5],
  ]);
  expect(histogram.sum).toBe(10 + 33 + 100_001);
});

test('every bucket counts the values at or below its bound', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(200_000), fc.nat(5))), (observations) => {
      const histogram = new Histogram(NAME);
      for (const [value, times] of observations) histogram.observe(value, times);
      const bounds = [...METRICS[NAME].buckets, Infinity];
      const expected = bounds.map((bound) => [
        bound,
        observations.reduce((n, [value, times]) => n + (value <= bound ? times : 0), 0),
      ]);
      expect(histogram.cumulative()).toEqual(expected);
      expect(histogram.sum).toBe(observations.reduce((n, [value, times]) => n + value * times, 0));
    }),
  );
});
