import { startEdge, type StartedEdge } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  type Engine,
  ENGINES,
  NATS_ENGINE,
  REDIS_ENGINE,
  startCluster,
} from '../../bus/engines.ts';
import { perform } from '../../conformance/define.ts';
import { CONTROL_JOINT_RUNS, CONTROL_RUNS, type Run } from '../../conformance/scenario-table.ts';
import { type AppServer, startAppServer } from '../../conformance/start-app-server.ts';
import type { Arrangement, World } from '../../conformance/world.ts';
import { defineClaimsTests } from './claims.ts';
import {
  CLIENT_VERSIONS,
  clientPart,
  defineClientProgramTest,
  defineStayTest,
  REFRESHING_VERSION,
} from './client-program.ts';
import { defineFreshProcessTests } from './fresh-process.ts';
import { defineGreetingTests } from './greeting.ts';
import { startHubApp, startHubAppWorld } from './hub-app.ts';
import { defineMembershipTests } from './membership.ts';
import { BUILD_TIMEOUT_MS, type RestoredPart, withPart } from './part.ts';
import { defineTypedTests } from './typed.ts';

/** For the longest; what a scenario waits for has deadlines of its own. */
const TIMEOUT_MS = 120_000;

/** The SDK has a text of its own for what this scenario knows by the framework's. */
const OTHER_WORDS = 'waits no longer than told';
/**
 * What the hubs of the conformance tests must do with the SDK, too; on Kestrel, those tests have them.
 * Transports are the edge's matter: an app sees nothing of them.
 */
const SERVICE_RUNS: readonly Run[] = [
  // The longest come first.
  ...CONTROL_JOINT_RUNS,
  ...CONTROL_RUNS.filter(
    ({ scenario, variant: { kind } }) =>
      kind.version === 10 && kind.way.name === 'WebSockets' && scenario.name !== OTHER_WORDS,
  ),
];

/** Each with the tests that it defines among those of an app. */
type ClientTest = (app: () => { readonly url: string }) => void;
const clientTests: ClientTest[] = [];
/** Of what .NET 10's apps do not have. */
const sdkTests: ClientTest[] = [];
const parts: RestoredPart[] = [];
for (const version of CLIENT_VERSIONS) {
  await withPart(clientPart(version), (client) => {
    parts.push(client);
    clientTests.push((app) => defineClientProgramTest(version, client, app));
    if (version === REFRESHING_VERSION) sdkTests.push((app) => defineStayTest(client, app));
  });
}

// Compilers beside them would take the time from tests that have deadlines.
beforeAll(async () => {
  for (const part of parts) await part.build();
}, 4 * BUILD_TIMEOUT_MS);

await withPart({ project: 'HubApp', how: 'with its packages' }, (part) => {
  parts.push(part);
  // One after the other, for the same reason; the tests of each are concurrent.
  describe.each([
    ['on Kestrel alone', false],
    ['with Microsoft.Azure.SignalR', true],
  ])('HubApp %s', (_host, service) => {
    describe.concurrent('serves', { timeout: TIMEOUT_MS }, () => {
      let world: World | undefined;
      let app: AppServer;

      beforeAll(async () => {
        if (service) world = await startHubAppWorld(part);
        app = world?.apps.get('straight')![0] ?? (await startHubApp(part, {}));
      }, BUILD_TIMEOUT_MS);

      afterAll(async () => {
        await (world ?? app)?.[Symbol.asyncDispose]();
      });

      defineTypedTests(() => app, ['json', 'messagepack']);
      defineClaimsTests(() => app, service);
      defineGreetingTests(() => app);
      if (service) {
        defineMembershipTests(() => app);
        defineFreshProcessTests(part, () => app.edgeUrl!);
      }
      for (const define of clientTests) define(() => app);

      if (service) defineScenarios(SERVICE_RUNS, () => world!);
    });
  });

  const isOfSeveral = ({ scenario }: Run): boolean => scenario.several === true;
  const several = SERVICE_RUNS.filter(isOfSeveral);
  if (process.env['TRUNKLINE_HUB_APP'] === 'all') {
    for (const engine of ENGINES) {
      defineEdgesTests(part, engine, 2, 'together', several);
      defineEdgesTests(part, engine, 3, 'mixed', SERVICE_RUNS);
    }
  } else {
    // Each scenario once: where there are several clients, these are at different edges.
    const others = SERVICE_RUNS.filter((run) => !isOfSeveral(run));
    defineEdgesTests(part, REDIS_ENGINE, 2, 'together', several);
    defineEdgesTests(part, NATS_ENGINE, 3, 'mixed', others);
  }
});

/** Several edges with the app at each of them, or at any. */
function defineEdgesTests(
  part: RestoredPart,
  engine: Engine,
  size: number,
  arrangement: Arrangement,
  runs: readonly Run[],
): void {
  describe.skipIf(!engine.isHere)(`HubApp at ${size} edges on ${engine.label}`, () => {
    describe.concurrent(`serves clients, ${arrangement}`, { timeout: TIMEOUT_MS }, () => {
      let world: World;

      beforeAll(async () => {
        world = await startHubAppWorld(part, () => startCluster(engine, size), arrangement);
      }, BUILD_TIMEOUT_MS);

      afterAll(async () => {
        await world?.[Symbol.asyncDispose]();
      });

      defineScenarios(runs, () => world);
    });
  });
}

function defineScenarios(runs: readonly Run[], world: () => World): void {
  it.for(runs.map((run) => [run.scenario.name, run] as const))('%s', async ([, run]) => {
    expect(await perform(run, world())).toEqual([]);
  });
}

describe.runIf(clientTests.length > 0)('an app server of the TypeScript SDK', () => {
  let edge: StartedEdge;
  let app: AppServer;

  beforeAll(async () => {
    edge = await startEdge();
    app = await startAppServer({ edgeUrl: edge.url });
  });

  afterAll(async () => {
    await app?.stop();
    await edge?.stop();
  });

  for (const define of [...clientTests, ...sdkTests]) define(() => app);
});
