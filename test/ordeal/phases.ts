import { setTimeout as pass } from 'node:timers/promises';

import type { Service } from './service.ts';

/** Something that happens to the service; its clients are asked afterwards what they have noticed. */
export interface Phase {
  readonly what: string;
  readonly happen: (service: Service) => Promise<void>;
  /** The one edge that something happens to, and the others take over from. */
  readonly edge?: number;
  /** Seconds in which all who were cut off are back, and what they wait for is answered. */
  readonly settles: number;
  /** What the frozen edge has been told is heard when that goes on, late. */
  readonly holdsBack?: boolean;
}

const DOWN_MS = 10_000;
/** So that those who come back do not meet the next who are sent away. */
const APART_MS = 30_000;
/** Longer than clients trust a service that says nothing: 30 s. */
const FROZEN_MS = 40_000;

export const PHASES: readonly Phase[] = [
  { what: 'nothing', happen: async () => {}, settles: 20 },
  {
    what: 'an edge is killed, and started again 10 s later',
    edge: 2,
    happen: async (service) => {
      await service.killEdge(2);
      await pass(DOWN_MS);
      await service.startEdge(2);
    },
    settles: 20,
  },
  {
    what: 'an edge is frozen for 40 s',
    edge: 1,
    happen: async ({ edges: [, edge] }) => {
      await edge!.freeze();
      await pass(FROZEN_MS);
      edge!.thaw();
    },
    settles: 30,
    holdsBack: true,
  },
  {
    what: 'an edge is drained, and started again',
    edge: 1,
    happen: async (service) => {
      await service.stopEdge(1);
      await service.startEdge(1);
    },
    settles: 20,
  },
  {
    what: 'the edges are drained and started again, one after the other, half a minute apart',
    happen: async (service) => {
      for (const [at] of service.edges.entries()) {
        if (at > 0) await pass(APART_MS);
        await service.stopEdge(at);
        await service.startEdge(at);
      }
    },
    settles: 20,
  },
  {
    what: 'the app servers are stopped and started again, one after the other, half a minute apart',
    happen: async (service) => {
      for (const [at] of service.apps.entries()) {
        if (at > 0) await pass(APART_MS);
        await service.stopApp(at);
        await service.startApp(at);
      }
    },
    settles: 20,
  },
  {
    what: 'an app server is killed, and started again 10 s later',
    happen: async (service) => {
      service.apps[1]!.child.kill('SIGKILL');
      await pass(DOWN_MS);
      await service.startApp(1);
    },
    settles: 20,
  },
];
