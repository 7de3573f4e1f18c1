import { describe } from 'vitest';

import { startCluster } from '../bus/engines.ts';
import { factorsOf } from './choice.ts';
import {
  CLUSTER_JOINT_RUNS,
  CLUSTER_KINDS,
  CLUSTER_RUNS,
  type ClusterKind,
  clusterName,
} from './clusters.ts';
import { defineEdgesRuns } from './define.ts';
import { choosePairwise } from './pairwise.ts';
import type { Run } from './scenario-table.ts';

/** The newest, the newest that cannot answer the hub and says so, and the oldest that reconnects. */
const VERSIONS: readonly number[] = [10, 6, 3];

interface ClusterRun extends Run {
  readonly cluster: ClusterKind;
}

/** Every pair of two factors of a run, engine and number of edges being two of them. */
function choose(runs: readonly Run[]): ClusterRun[] {
  const all = CLUSTER_KINDS.flatMap((cluster) => runs.map((run) => ({ ...run, cluster })));
  return choosePairwise(all, ({ cluster: { engine, size }, ...run }) => ({
    ...factorsOf(run),
    engine: engine.name,
    size: String(size),
  }));
}

const joint = choose(CLUSTER_JOINT_RUNS);
const chosen = choose(
  CLUSTER_RUNS.filter(({ variant }) => VERSIONS.includes(variant.kind.version)),
);

/** What holds with one edge holds with several, wherever the clients are. */
describe.concurrent.each(CLUSTER_KINDS.map((cluster) => [clusterName(cluster), cluster] as const))(
  'clients at different ones of %s',
  (_name, cluster) => {
    const of = (runs: readonly ClusterRun[]): Run[] =>
      runs.filter((run) => run.cluster === cluster);
    const { engine, size } = cluster;
    describe.skipIf(!engine.isHere)('where it is', () => {
      defineEdgesRuns(() => startCluster(engine, size), of(joint), of(chosen));
    });
  },
);
