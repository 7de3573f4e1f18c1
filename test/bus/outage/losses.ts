import type { StartedEdge } from '@trunkline/testing';

import { DROP_REASONS } from '../../../services/edge/src/bus/bus-stats.ts';
import { GAP_CAUSES } from '../../../services/edge/src/ports/bus.ts';
import { type Metrics, scrape } from '../../edge/support/metrics.ts';

/** What an edge has counted of losses, by what its metrics call it. */
export type Losses = ReadonlyMap<string, number>;

export async function lossesOf(edge: StartedEdge): Promise<Losses> {
  const metrics = await scrape(edge);
  return new Map([
    ...GAP_CAUSES.map((cause) => counted(metrics, 'gaps', { cause })),
    ...DROP_REASONS.map((reason) => counted(metrics, 'dropped', { reason })),
  ]);
}

function counted(
  metrics: Metrics,
  what: 'gaps' | 'dropped',
  labels: Readonly<Record<string, string>>,
): [string, number] {
  const [label] = Object.values(labels);
  return [`${what} ${label}`, metrics.value(`trunkline_bus_${what}_total`, labels)];
}

/** What has been counted since; `before` undefined: all of it. */
export function lossesSince(before: Losses | undefined, now: Losses): Losses {
  const grown = [...now].map(([what, count]) => [what, count - (before?.get(what) ?? 0)] as const);
  return new Map(grown.filter(([, count]) => count > 0));
}
