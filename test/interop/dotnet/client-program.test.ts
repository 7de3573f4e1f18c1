import { startEdge } from '@trunkline/testing';
import { describe, expect, it } from 'vitest';

import { startAppServer } from '../../conformance/start-app-server.ts';
import { BUILD_TIMEOUT_MS, type RestoredPart, withPart } from './part.ts';

/** For two builds, and all transports one after another. */
const TIMEOUT_MS = 2 * BUILD_TIMEOUT_MS;

const TRANSPORTS = ['WebSockets', 'ServerSentEvents', 'LongPolling'];

for (const messagePack of [false, true]) {
  const how = messagePack ? 'with MessagePack' : 'with JSON alone';
  const properties = { UseMessagePack: messagePack };
  const done = TRANSPORTS.flatMap((transport) => [
    `done ${transport} json`,
    ...(messagePack && transport !== 'ServerSentEvents' ? [`done ${transport} messagepack`] : []),
  ]);

  const visit = async (client: RestoredPart, appUrl: string): Promise<string[]> =>
    (await client.run(`${appUrl}/main`)).trim().split('\n');

  await withPart({ project: 'ClientProgram', how, properties }, async (client) => {
    describe(`ClientProgram ${how}`, { timeout: TIMEOUT_MS }, () => {
      it('does all it can through the edge', async () => {
        await using edge = await startEdge();
        await using app = await startAppServer({ edgeUrl: edge.url });
        expect(await visit(client, app.url)).toEqual(done);
      });
    });

    const control = { UseAzureSignalR: false, ...properties };
    const host = `on Kestrel alone for a client ${how}`;
    await withPart({ project: 'HubApp', how: host, properties: control }, (hubApp) => {
      describe(`ClientProgram ${how}`, { timeout: TIMEOUT_MS }, () => {
        it('does the same on Kestrel alone', async () => {
          await using app = await hubApp.start({});
          expect(await visit(client, app.url)).toEqual(done);
        });
      });
    });
  });
}
