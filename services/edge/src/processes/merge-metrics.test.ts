import { expect, test } from 'vitest';
import { mergeMetrics } from './merge-metrics.ts';

const FIRST = `# HELP up Whether it is.
# TYPE up gauge
up 1

# HELP seconds How long.
# TYPE seconds histogram
seconds_bucket{hop="a b{c}",le="0.1"} 1
seconds_bucket{hop="a b{c}",le="+Inf"} 2
seconds_sum{hop="a b{c}"} 0.3
seconds_count{hop="a b{c}"} 2
`;
const SECOND = `# HELP up Whether it is.
# TYPE up gauge
up 0

# HELP files Open files.
# TYPE files gauge
files 12
`;

test('each metric is there once, with the samples of all edges', () => {
  const merged = mergeMetrics([
    { edge: 'e-1', text: FIRST },
    { edge: 'e-2', text: SECOND },
  ]);
  expect(merged).toBe(`# HELP up Whether it is.
# TYPE up gauge
up{edge="e-1"} 1
up{edge="e-2"} 0

# HELP seconds How long.
# TYPE seconds histogram
seconds_bucket{edge="e-1",hop="a b{c}",le="0.1"} 1
seconds_bucket{edge="e-1",hop="a b{c}",le="+Inf"} 2
seconds_sum{edge="e-1",hop="a b{c}"} 0.3
seconds_count{edge="e-1",hop="a b{c}"} 2

# HELP files Open files.
# TYPE files gauge
files{edge="e-2"} 12
`);
});

test('whatever an edge is called, the line stays one', () => {
  expect(mergeMetrics([{ edge: 'a"b\\c\nd', text: '# TYPE up gauge\nup 1\n' }])).toBe(
    '# TYPE up gauge\nup{edge="a\\"b\\\\c\\nd"} 1\n',
  );
});

test('of no edge there is nothing', () => {
  expect(mergeMetrics([])).toBe('');
});
