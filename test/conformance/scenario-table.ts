import type { ProfileName } from '@trunkline/testing';

import { appliesTo, type Chapter, type Scenario } from './scenario.ts';
import { abandonment } from './scenarios/abandonment.ts';
import { calls } from './scenarios/calls.ts';
import { clientResults } from './scenarios/client-results.ts';
import { endings } from './scenarios/endings.ts';
import { expiry } from './scenarios/expiry.ts';
import { groups } from './scenarios/groups.ts';
import { handshakes } from './scenarios/handshakes.ts';
import { identity } from './scenarios/identity.ts';
import { lifecycle } from './scenarios/lifecycle.ts';
import { limits } from './scenarios/limits.ts';
import { load } from './scenarios/load.ts';
import { order } from './scenarios/order.ts';
import { reach } from './scenarios/reach.ts';
import { restarts } from './scenarios/restarts.ts';
import { silence } from './scenarios/silence.ts';
import { slowReaders } from './scenarios/slow-readers.ts';
import { streams } from './scenarios/streams.ts';
import { transports } from './scenarios/transports.ts';
import { values } from './scenarios/values.ts';
import { COMPANY, FRONT_NAMES, type Variant, VARIANTS } from './variants.ts';

/** For every variant. */
export const CHAPTERS: readonly Chapter[] = [
  { title: 'Handshakes', scenarios: handshakes },
  { title: 'Transports', scenarios: transports },
  { title: 'Tokens and sign-ins', scenarios: expiry },
  { title: 'Identity', scenarios: identity },
  { title: 'Lifecycle', scenarios: lifecycle },
  { title: 'Endings', scenarios: endings },
  { title: 'Values', scenarios: values },
  { title: 'Calls', scenarios: calls },
  { title: 'Streams', scenarios: streams },
  { title: 'Client results', scenarios: clientResults },
  { title: 'Groups', scenarios: groups },
  { title: 'Order', scenarios: order },
  { title: 'Limits', scenarios: limits },
  { title: 'Slow readers', scenarios: slowReaders },
];

/** A scenario with whom it runs. */
export interface Run {
  readonly scenario: Scenario;
  readonly variant: Variant;
}

/** Every scenario with every variant that it applies to: the cells of the table. */
export const RUNS: readonly Run[] = CHAPTERS.flatMap(({ scenarios }) => scenarios).flatMap(
  (scenario) =>
    VARIANTS.filter(({ kind }) => appliesTo(scenario, kind)).map((variant) => ({
      scenario,
      variant,
    })),
);

/** With clients of many kinds at the same time, or none. The longest come first. */
export const JOINT_SCENARIOS: readonly Scenario[] = [
  ...silence,
  ...restarts,
  ...abandonment,
  ...reach,
  ...load,
];

/** Every one of these with every front. */
export const JOINT_RUNS: readonly Run[] = JOINT_SCENARIOS.flatMap((scenario) =>
  FRONT_NAMES.map((front) => ({ scenario, variant: { kind: COMPANY[0]!, front } })),
);

/** The same with the control, of what it has. */
export const CONTROL_RUNS: readonly Run[] = RUNS.filter(isControlled);

export const CONTROL_JOINT_RUNS: readonly Run[] = JOINT_RUNS.filter(isControlled);

/** Of some runs those that an app server on this version of the .NET package can do. */
export function runsWithPackage(runs: readonly Run[], profile: ProfileName): Run[] {
  return runs.filter(({ scenario }) => scenario.withoutPackage?.[profile] === undefined);
}

function isControlled({ scenario, variant: { kind, front } }: Run): boolean {
  return scenario.withoutControl === undefined && kind.protocol === 'json' && front === 'straight';
}
