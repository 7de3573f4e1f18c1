import { startEdge, type StartedEdge } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Context } from '../../conformance/context.ts';
import { CONTROL_JOINT_RUNS, CONTROL_RUNS, type Run } from '../../conformance/scenario-table.ts';
import { type AppServer, startAppServer } from '../../conformance/start-app-server.ts';
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
import { hubAppWorld, startHubApp } from './hub-app.ts';
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
      let edge: StartedEdge | undefined;
      let app: AppServer;

      beforeAll(async () => {
        if (service) edge = await startEdge();
        app = await startHubApp(part, { edge });
      }, BUILD_TIMEOUT_MS);

      afterAll(async () => {
        await app?.stop();
        await edge?.stop();
      });

      defineTypedTests(() => app, ['json', 'messagepack']);
      defineClaimsTests(() => app, service);
      defineGreetingTests(() => app);
      if (service) {
        defineMembershipTests(() => app);
        defineFreshProcessTests(part, () => edge!);
      }
      for (const define of clientTests) define(() => app);

      if (!service) return;
      it.for(SERVICE_RUNS.map((run) => [run.scenario.name, run] as const))(
        '%s',
        async ([, { scenario, variant }]) => {
          const world = hubAppWorld(part, app, edge);
          await using context = new Context(world, variant);
          await scenario.run(context);
          expect(world.ended()).toEqual([]);
        },
      );
    });
  });
});

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
