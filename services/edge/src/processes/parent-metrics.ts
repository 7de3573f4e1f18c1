import type { MetricDefinition } from '@trunkline/telemetry';
import type { Scrape } from './merge-metrics.ts';

/** What a parent says of its edges, beside what they say themselves. The label is put on by the merge. */
export const PARENT_METRICS = {
  trunkline_edge_up: {
    type: 'gauge',
    help: 'Whether the edge answers its parent.',
    labels: { edge: 'open' },
    meaning:
      'With `--processes`: 1 where the edge has answered this scrape, 0 where its process is not there, or has not answered within two seconds. Metrics of an edge that has not answered are left out.',
    whenItRises:
      'Falling to 0 is what matters: its log says why it has ended, and it is started again.',
  },
  trunkline_edge_restarts_total: {
    type: 'counter',
    help: 'Times the edge was started again.',
    labels: { edge: 'open' },
    meaning:
      'With `--processes`: how often the process of the edge had ended and was started again, after 100 ms at first and 10 s at most.',
    whenItRises:
      'An edge ends that was not told to: what it has written to its log and to stderr says why, or the kernel, where it has run out of memory.',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export function parentMetrics(
  edges: readonly { readonly id: string; readonly restarts: number }[],
  answering: ReadonlySet<string>,
): Scrape[] {
  return edges.map(({ id, restarts }) => {
    const values = {
      trunkline_edge_up: answering.has(id) ? 1 : 0,
      trunkline_edge_restarts_total: restarts,
    };
    const lines = Object.entries(PARENT_METRICS).flatMap(([name, { help, type }]) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      `${name} ${values[name as keyof typeof values]}`,
    ]);
    return { edge: id, text: lines.join('\n') };
  });
}
