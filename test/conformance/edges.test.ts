import { describe } from 'vitest';

import { ENGINES, startCluster } from '../bus/engines.ts';
import { chooseForClusters } from './choice.ts';
import {
  CLUSTER_JOINT_RUNS,
  CLUSTER_KINDS,
  CLUSTER_RUNS,
  type ClusterKind,
  clusterName,
} from './clusters.ts';
import { defineEdgesRuns } from './define.ts';
import type { Run } from './scenario-table.ts';

/** The newest, the newest that cannot answer the hub and says so, and the oldest that reconnects. */
const VERSIONS: readonly number[] = [10, 6, 3];

interface ClusterRun extends Run {
  readonly cluster: ClusterKind;
}

function choose(runs: readonly Run[]): ClusterRun[] {
  const all = CLUSTER_KINDS.flatMap((cluster) => runs.map((run) => ({ ...run, cluster })));
  return chooseForClusters(all, ({ cluster }) => clusterName(cluster));
}

const joint = choose(CLUSTER_JOINT_RUNS);
const chosen = choose(
  CLUSTER_RUNS.filter(({ variant }) => VERSIONS.includes(variant.kind.version)),
);

/** What holds with one edge holds with several, wherever the clients are. */
describe.each(ENGINES)('clients at different edges on $label', (engine) => {
  // One engine after the other: with all at once, twenty processes would start beside other tests.
  describe.skipIf(!engine.isHere)('where it is', () => {
    const kinds = CLUSTER_KINDS.filter((kind) => kind.engine === engine);
    describe.concurrent.each(kinds)('$size of them', (cluster) => {
      const of = (runs: readonly ClusterRun[]): Run[] =>
        runs.filter((run) => run.cluster === cluster);
      defineEdgesRuns(() => startCluster(engine, cluster.size), of(joint), of(chosen));
    });
  });
});
