import { describe } from 'vitest';

import { NATS_ENGINE, REDIS_ENGINE, startCluster } from '../bus/engines.ts';
import { chooseForClusters } from './choice.ts';
import { CLUSTER_JOINT_RUNS, CLUSTER_RUNS, type ClusterKind, clusterName } from './clusters.ts';
import { defineEdgesRuns } from './define.ts';
import type { Run } from './scenario-table.ts';

/** The newest, the newest that cannot answer the hub and says so, and the oldest that reconnects. */
const VERSIONS: readonly number[] = [10, 6, 3];

/** `npm run test:conformance` has both sizes on both engines. */
const KINDS: readonly ClusterKind[] = [
  { engine: NATS_ENGINE, size: 3 },
  { engine: REDIS_ENGINE, size: 2 },
];

interface ClusterRun extends Run {
  readonly cluster: ClusterKind;
}

function choose(runs: readonly Run[]): ClusterRun[] {
  const all = KINDS.flatMap((cluster) => runs.map((run) => ({ ...run, cluster })));
  return chooseForClusters(all, ({ cluster }) => clusterName(cluster));
}

const joint = choose(CLUSTER_JOINT_RUNS);
const chosen = choose(
  CLUSTER_RUNS.filter(({ variant }) => VERSIONS.includes(variant.kind.version)),
);

/** What holds with one edge holds with several, wherever the clients are. */
describe.each(KINDS)('clients at different ones of $size edges on $engine.label', (cluster) => {
  describe.skipIf(!cluster.engine.isHere)('where it is', () => {
    const of = (runs: readonly ClusterRun[]): Run[] =>
      runs.filter((run) => run.cluster === cluster);
    defineEdgesRuns(() => startCluster(cluster.engine, cluster.size), of(joint), of(chosen));
  });
});
