import { expect, it } from 'vitest';

import { median } from './compare.ts';
import { formatTable } from './table.ts';

it('prints what each floor came to', () => {
  const table = formatTable([
    { name: 'echo', unit: 'us', edge: 16, bare: 10, floor: { of: 'ratio', atMost: 1.6 } },
    { name: 'delay', unit: 'ms', edge: 16, bare: 10, floor: { of: 'difference', atMost: 5.9 } },
    {
      name: 'idle',
      unit: 'KB',
      edge: 2.51,
      bare: 0.6,
      digits: 2,
      floor: { of: 'edge', atMost: 2.5 },
    },
    { name: 'app', unit: 'us', edge: 7, bare: 0 },
  ]);
  expect(table.split('\n')).toEqual([
    '       unit  edge  bare  edge/bare  edge-bare  floor',
    'echo   us    16.0  10.0       1.60        6.0  ratio <= 1.6       pass',
    'delay  ms    16.0  10.0       1.60        6.0  difference <= 5.9  FAIL',
    'idle   KB    2.51  0.60       4.18       1.91  edge <= 2.5        FAIL',
    'app    us     7.0     -          -          -',
  ]);
});

it('takes the middle, or the mean of the two in the middle', () => {
  expect(median([30, 1, 2])).toBe(2);
  expect(median([10, 9])).toBe(9.5);
});
