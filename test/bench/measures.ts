import { NATS_ENGINE, REDIS_ENGINE } from '../bus/engines.ts';
import { measureApp } from './app-cost.ts';
import { BACKPLANE_SIDES, measureBackplane, restoreBackplane } from './backplane.ts';
import { measureBroadcast } from './broadcast.ts';
import type { Contenders, SideNames } from './compare.ts';
import { SIDE_NAMES } from './compare.ts';
import { measureConnect } from './connect.ts';
import { measureEcho } from './echo.ts';
import { GROUPS_SIDES, measureGroups } from './groups.ts';
import { GUESTS_SIDES, measureGuests } from './guests.ts';
import { measureIdle } from './idle.ts';
import { measurePages, PAGES_SIDES } from './pages.ts';
import { measurePolls, POLLS_SIDES } from './polls.ts';
import { measureProcesses, PROCESSES_SIDES } from './processes.ts';
import { LIBRARY_SIDES, measureLibrary } from './library.ts';
import { measureRelay, RELAY_SIDES } from './relay.ts';
import { measureRemote, REMOTE_SIDES } from './remote.ts';
import { measureRest, REST_SIDES } from './rest.ts';
import type { Memberships } from './sending.ts';
import type { StormOptions } from './storm.ts';
import { measureStorm } from './storm.ts';
import type { Row } from './table.ts';
import { measureUpstream, UPSTREAM_SIDES } from './upstream.ts';

/** How much of everything. */
export interface Plan {
  rounds: number;
  seconds: number;
  idle: readonly [few: number, many: number];
  broadcast: readonly number[];
  burst: number;
  connect: number;
  storms: readonly StormOptions[];
  /** At another edge. */
  remote: number;
  groups: Memberships;
  /** Members of the large group. */
  pages: number;
  /** At each of two servers. */
  backplane: number;
}

export const FULL: Plan = {
  rounds: 5,
  seconds: 3,
  idle: [5_000, 15_000],
  broadcast: [1_000, 10_000],
  burst: 20,
  connect: 5_000,
  storms: [{ clients: 5_000, perSecond: 400 }, { clients: 5_000 }],
  remote: 1_000,
  groups: { groups: 10_000, members: 10, clients: 7_500 },
  pages: 15_000,
  backplane: 500,
};
export const QUICK: Plan = {
  rounds: 3,
  seconds: 1.5,
  idle: [1_000, 3_000],
  broadcast: [1_000],
  burst: 20,
  connect: 2_000,
  storms: [{ clients: 1_000 }],
  remote: 1_000,
  groups: { groups: 1_000, members: 10, clients: 750 },
  pages: 3_000,
  backplane: 200,
};

export interface Measurement {
  /** What it measures beside each other; the contenders where it is not given. */
  readonly sideNames?: SideNames;
  /** What this machine lacks for it, if so. */
  readonly lacks?: () => Promise<string | undefined>;
  measure(contenders: Contenders, plan: Plan): Promise<Row[]>;
}

export const MEASURES: Readonly<Record<string, Measurement>> = {
  idle: {
    measure: (contenders, { rounds, idle: [few, many] }) =>
      measureIdle(contenders, { rounds, few, many }),
  },
  echo: { measure: measureEcho },
  app: { sideNames: SIDE_NAMES, measure: (_contenders, plan) => measureApp(plan) },
  broadcast: {
    measure: (contenders, { rounds, seconds, broadcast, burst }) =>
      measureBroadcast(contenders, { rounds, seconds, clients: broadcast, burst }),
  },
  connect: {
    measure: (contenders, { rounds, connect }) =>
      measureConnect(contenders, { rounds, clients: connect }),
  },
  storm: {
    sideNames: SIDE_NAMES,
    measure: async (_contenders, { storms }) => {
      const rows: Row[] = [];
      for (const storm of storms) rows.push(...(await measureStorm(storm)));
      return rows;
    },
  },
  relay: {
    sideNames: RELAY_SIDES,
    lacks: async () => lackOf(NATS_ENGINE, REDIS_ENGINE),
    measure: (_contenders, plan) => measureRelay(plan),
  },
  library: {
    sideNames: LIBRARY_SIDES,
    lacks: async () => lackOf(NATS_ENGINE),
    measure: (_contenders, plan) => measureLibrary(plan),
  },
  remote: {
    sideNames: REMOTE_SIDES,
    lacks: async () => lackOf(NATS_ENGINE),
    measure: (_contenders, { rounds, seconds, remote }) =>
      measureRemote({ rounds, seconds, clients: remote }),
  },
  groups: {
    sideNames: GROUPS_SIDES,
    lacks: async () => lackOf(NATS_ENGINE),
    measure: (_contenders, { rounds, seconds, groups }) =>
      measureGroups({ rounds, seconds, ...groups }),
  },
  guests: {
    sideNames: GUESTS_SIDES,
    lacks: async () => lackOf(NATS_ENGINE),
    measure: (_contenders, plan) => measureGuests(plan),
  },
  polls: {
    sideNames: POLLS_SIDES,
    lacks: async () => lackOf(NATS_ENGINE),
    measure: (_contenders, plan) => measurePolls(plan),
  },
  processes: {
    sideNames: PROCESSES_SIDES,
    lacks: async () => lackOf(NATS_ENGINE),
    measure: (_contenders, plan) => measureProcesses(plan),
  },
  rest: { sideNames: REST_SIDES, measure: (_contenders, plan) => measureRest(plan) },
  upstream: { sideNames: UPSTREAM_SIDES, measure: (_contenders, plan) => measureUpstream(plan) },
  pages: {
    sideNames: PAGES_SIDES,
    measure: (_contenders, { rounds, seconds, pages }) =>
      measurePages({ rounds, seconds, members: pages }),
  },
  backplane: {
    sideNames: BACKPLANE_SIDES,
    lacks: async () => {
      const lack = lackOf(REDIS_ENGINE);
      if (lack !== undefined) return lack;
      const restored = await restoreBackplane();
      return typeof restored === 'string' ? restored : undefined;
    },
    measure: (_contenders, { rounds, seconds, burst, backplane }) =>
      measureBackplane({ rounds, seconds, burst, clients: backplane }),
  },
};

function lackOf(...engines: readonly (typeof NATS_ENGINE)[]): string | undefined {
  const lack = engines.find(({ isHere }) => !isHere);
  return lack && `there is no ${lack.scheme}-server on the PATH or in /usr/sbin`;
}
