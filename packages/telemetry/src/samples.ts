import type { MetricDefinition, MetricName } from './catalogue.ts';
import type { Histogram } from './histogram.ts';

export type Labels = Readonly<Record<string, string>>;

/** One combination of label values with its value. */
export type Series = readonly [labels: Labels, value: number | Histogram];

/** One line of a scrape. */
export interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** The lines of one series: a histogram has several. */
export function samplesOf(name: MetricName, [labels, value]: Series): Sample[] {
  if (typeof value === 'number') return [{ metricName: name, labels, value }];
  const buckets = value.cumulative();
  return [
    ...buckets.map(([bound, count]) => ({
      metricName: `${name}_bucket`,
      labels: { ...labels, le: bound === Infinity ? '+Inf' : bound },
      value: count,
    })),
    { metricName: `${name}_sum`, labels, value: value.sum },
    { metricName: `${name}_count`, labels, value: buckets.at(-1)![1] },
  ];
}

/**
 * Every combination of the label values of a metric whose labels all have closed lists; none for
 * one with an open label or without labels. `given` holds the lists that the catalogue leaves to the process.
 */
export function closedLabels(
  { labels }: MetricDefinition,
  given: Readonly<Record<string, readonly string[]>>,
): Labels[] {
  let combinations: Labels[] = Object.keys(labels).length === 0 ? [] : [{}];
  for (const [name, values] of Object.entries(labels)) {
    const list = values === 'open' ? [] : values === 'given' ? (given[name] ?? []) : values;
    combinations = combinations.flatMap((some) =>
      list.map((value) => ({ ...some, [name]: value })),
    );
  }
  return combinations;
}

/** The same label values; both have the same label names. */
export function isSameSeries(a: Labels, b: Labels): boolean {
  return Object.keys(a).every((name) => a[name] === b[name]);
}
