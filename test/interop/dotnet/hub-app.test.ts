import { startEdge, type StartedEdge } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Context } from '../../conformance/context.ts';
import { CONTROL_JOINT_RUNS, CONTROL_RUNS, type Run } from '../../conformance/scenario-table.ts';
import type { AppServer } from '../../conformance/start-app-server.ts';
import type { ProtocolName } from '../../conformance/variants.ts';
import type { World } from '../../conformance/world.ts';
import { hubAppWorld, startHubApp } from './hub-app.ts';
import { BUILD_TIMEOUT_MS, withPart } from './part.ts';
import { defineTypedTests } from './typed.ts';

/** For the longest; what a scenario waits for has deadlines of its own. */
const TIMEOUT_MS = 60_000;

/** Transports are the edge's matter: an app sees nothing of them. */
const RUNS: readonly Run[] = CONTROL_RUNS.filter(
  ({ variant: { kind } }) => kind.version === 10 && kind.way.name === 'WebSockets',
);

/** The SDK has a text of its own for what this scenario knows by the framework's. */
const OTHER_WORDS = 'waits no longer than told';
/** With the SDK. */
const SERVICE_RUNS: readonly Run[] = [
  // The longest come first; on Kestrel, the conformance tests have them.
  ...CONTROL_JOINT_RUNS,
  ...RUNS.filter(({ scenario }) => scenario.name !== OTHER_WORDS),
];

for (const service of [false, true]) {
  for (const messagePack of [false, true]) {
    const host = service ? 'with Microsoft.Azure.SignalR' : 'on Kestrel alone';
    const how = messagePack ? `${host} and MessagePack` : host;
    const properties = { UseAzureSignalR: service, UseMessagePack: messagePack };
    await withPart({ project: 'HubApp', how, properties }, (part) => {
      describe.concurrent(`HubApp ${how}`, () => {
        let edge: StartedEdge | undefined;
        let app: AppServer;
        let world: World;

        beforeAll(async () => {
          if (service) edge = await startEdge();
          app = await startHubApp(part, { edge });
          world = hubAppWorld(part, app, edge);
        }, BUILD_TIMEOUT_MS);

        afterAll(async () => {
          await app?.stop();
          await edge?.stop();
        });

        const protocols: ProtocolName[] = messagePack ? ['json', 'messagepack'] : ['json'];
        defineTypedTests(() => app, protocols);

        // The same in both: they are not about hub protocols.
        if (messagePack) return;
        it.for((service ? SERVICE_RUNS : RUNS).map((run) => [run.scenario.name, run] as const))(
          '%s',
          { timeout: TIMEOUT_MS },
          async ([, { scenario, variant }]) => {
            await using context = new Context(world, variant);
            await scenario.run(context);
            expect(world.ended()).toEqual([]);
          },
        );
      });
    });
  }
}
