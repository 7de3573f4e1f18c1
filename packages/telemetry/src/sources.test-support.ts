import { METRICS } from './catalogue.ts';
import { Histogram } from './histogram.ts';
import type { HistogramName, MetricName } from './catalogue.ts';
import type { GivenLabels, Sources } from './registry.ts';

export const GIVEN: GivenLabels = {
  trunkline_client_closes_total: { reason: ['Normal', 'SlowClient'] },
  trunkline_rest_requests_total: { operation: ['sendToAll'] },
  trunkline_unreadable_messages_total: { type: ['Ack', 'unknown'] },
  trunkline_server_closes_total: { reason: ['Normal'] },
};

/** Sources of a process in which nothing has happened, but for those given. */
export function quietSources(some: Partial<Sources> = {}): Sources {
  const entries = Object.entries(METRICS).map(([name, { type, labels }]) => {
    const value = type === 'histogram' ? new Histogram(name as HistogramName) : 0;
    return [name, () => (Object.keys(labels).length === 0 ? value : [])];
  });
  return { ...(Object.fromEntries(entries) as Record<MetricName, never>), ...some };
}
