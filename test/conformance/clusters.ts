import { type Engine, ENGINES } from '../bus/engines.ts';
import { JOINT_RUNS, type Run, RUNS } from './scenario-table.ts';

/** How many edges are one service, and what joins them. */
export interface ClusterKind {
  readonly engine: Engine;
  readonly size: number;
}

export const CLUSTER_KINDS: readonly ClusterKind[] = ENGINES.flatMap((engine) =>
  [2, 3].map((size) => ({ engine, size })),
);

/** With what a machine must have for it. */
export function clusterName({ engine, size }: ClusterKind): string {
  return `${size} edges on ${engine.label}`;
}

/** What runs with clients at different edges. A front is in front of one edge alone. */
export const CLUSTER_RUNS = runsOfSeveral(RUNS);

export const CLUSTER_JOINT_RUNS = runsOfSeveral(JOINT_RUNS);

/** What runs at any of several edges: all that has no front of its own. */
export const STRAIGHT_RUNS = RUNS.filter(({ variant }) => variant.front === 'straight');

export const STRAIGHT_JOINT_RUNS = JOINT_RUNS.filter(({ variant }) => variant.front === 'straight');

export const MIXED_SIZE = 3;

function runsOfSeveral(runs: readonly Run[]): Run[] {
  return runs.filter(
    ({ scenario, variant }) => scenario.several === true && variant.front === 'straight',
  );
}
