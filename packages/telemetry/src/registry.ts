import { Registry } from 'prom-client';
import type { Metric } from 'prom-client';
import { METRICS } from './catalogue.ts';
import type { HistogramName, LabelsOf, MetricName } from './catalogue.ts';
import { Histogram } from './histogram.ts';
import { closedLabels, isSameSeries, samplesOf } from './samples.ts';
import type { Labels, Sample, Series } from './samples.ts';

type Value<M extends MetricName> = M extends HistogramName ? Histogram : number;

/**
 * What a source answers: for a metric with labels every `[labels, value]` there is, for one without
 * the value itself, `undefined` where this machine does not know it.
 */
export type Reading<M extends MetricName> = keyof LabelsOf<M> extends never
  ? Value<M> | undefined
  : Iterable<readonly [labels: LabelsOf<M>, value: Value<M>]>;

/** Where the value of every metric comes from; called at each scrape and at no other time. */
export type Sources = {
  readonly [M in MetricName]: () => Reading<M> | Promise<Reading<M>>;
};

type GivenLabel<M extends MetricName, L = (typeof METRICS)[M]['labels']> = {
  [K in keyof L]: L[K] extends 'given' ? K : never;
}[keyof L];

/** The values of the labels that the catalogue leaves to the process, which owns their table. */
export type GivenLabels = {
  readonly [M in MetricName as GivenLabel<M> extends never ? never : M]: {
    readonly [L in GivenLabel<M>]: readonly string[];
  };
};

/**
 * A registry of the whole catalogue that reads its values from `sources`. A series whose labels all
 * have closed lists is there from the first scrape, at 0 when its source does not name it. A source
 * that throws or rejects fails the scrape.
 */
export function createRegistry(sources: Sources, given: GivenLabels): Registry {
  const registry = new Registry();
  const lists: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = given;
  for (const name of Object.keys(METRICS) as MetricName[]) {
    const metric = new CollectedMetric(name, sources[name], lists[name] ?? {});
    // A registry asks of a metric only its name and get(); the library's own classes keep counts of
    // their own, so these cannot extend them.
    registry.registerMetric(metric as unknown as Metric);
  }
  return registry;
}

class CollectedMetric {
  readonly name: MetricName;
  readonly #source: () => unknown;
  readonly #closed: readonly Labels[];

  constructor(
    name: MetricName,
    source: () => unknown,
    given: Readonly<Record<string, readonly string[]>>,
  ) {
    this.name = name;
    this.#source = source;
    this.#closed = closedLabels(METRICS[name], given);
  }

  async get(): Promise<{ name: string; help: string; type: string; values: Sample[] }> {
    const { type, help } = METRICS[this.name];
    const series = readSeries(await this.#source());
    const absent = this.#closed.filter(
      (labels) => !series.some(([other]) => isSameSeries(labels, other)),
    );
    const zeros = absent.map((labels): Series => [labels, zeroOf(this.name)]);
    const values = [...series, ...zeros].flatMap((one) => samplesOf(this.name, one));
    return { name: this.name, help, type, values };
  }
}

/** `Sources` has checked the shape, metric by metric. */
function readSeries(reading: unknown): Series[] {
  if (reading === undefined) return [];
  if (typeof reading === 'number' || reading instanceof Histogram) return [[{}, reading]];
  return [...(reading as Iterable<Series>)];
}

function zeroOf(name: MetricName): number | Histogram {
  return METRICS[name].type === 'histogram' ? new Histogram(name as HistogramName) : 0;
}
