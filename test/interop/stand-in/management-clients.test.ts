import type { HubConnection } from '@microsoft/signalr';
import type { DotnetManager, StartedEdge } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { NATS_ENGINE } from '../../bus/engines.ts';
import { failureOf } from '../../conformance/client.ts';
import { negotiate } from '../../edge/support/negotiate.ts';
import { connectClient } from '../../edge/support/rest.ts';
import { type ManagementScene, startScene } from './management-scene.ts';
import { TEST_MS } from './world.ts';

/** By hub: what becomes of clients while no app server is there. */
const HUBS = {
  reach: { withoutServer: 'wait' },
  detailed: { withoutServer: 'refuse' },
  main: { withoutServer: 'upstream', upstream: [], migration: 'always' },
  /** Of no manager. */
  unmanaged: { withoutServer: 'wait' },
  unmanaged_refusing: { withoutServer: 'refuse' },
};

/** A hub is not served because it is managed. */
describe.each([
  { edges: 1, name: 'one edge', lacks: false },
  { edges: 2, name: 'two edges (needs nats-server)', lacks: !NATS_ENGINE.isHere },
] as const)('clients of $name', { timeout: TEST_MS }, ({ edges, lacks }) => {
  describe.skipIf(lacks)('and a hub that has only managers', () => {
    let scene: ManagementScene;
    let managers: readonly DotnetManager[];

    beforeAll(async () => {
      scene = await startScene({ edges, hubs: HUBS });
      const hubs = ['main', 'reach', 'detailed'];
      managers = await Promise.all(hubs.map((hub) => scene.manage(hub)));
    });
    afterAll(() => scene?.[Symbol.asyncDispose]());

    const connect = ({ url }: StartedEdge, hub: string) => connectClient(url, { hub, user: 'ann' });
    /** What becomes of a client of the hub at each of the edges. */
    const endings = (hub: string) =>
      Promise.all(scene.edges.map((edge) => failureOf(connect(edge, hub))));
    const negotiations = (hub: string) =>
      Promise.all(
        scene.edges.map(({ url }) =>
          negotiate(url, { hub }).then(
            () => 'let in',
            ({ message }: Error) => message,
          ),
        ),
      );

    it('are turned away as from a hub that has nobody', async () => {
      for (const [managed, unmanaged] of [
        ['reach', 'unmanaged'],
        ['detailed', 'unmanaged_refusing'],
      ] as const) {
        expect(await negotiations(managed)).toEqual(await negotiations(unmanaged));
        const ended = await endings(managed);
        expect(ended).toEqual(await endings(unmanaged));
        for (const why of ended) expect(why).toContain('No app server is connected for this hub');
      }
    });

    it('go to the app server when it comes, and to the edge when it has gone, never to a manager', async () => {
      const someone = await Promise.all(scene.edges.map((edge) => connect(edge, 'main')));
      const alone = await failureOf(someone[0]!.connection.invoke('pid'));
      expect(alone).toContain('no upstream takes it');
      const app = await scene.startApp();
      for (const { connection } of someone) {
        await expect.poll(() => outcome(connection)).toBe(app.pid);
      }
      for (const hub of ['reach', 'detailed']) {
        const { connection } = await connect(scene.first, hub);
        expect(await connection.invoke('pid')).toBe(app.pid);
        await connection.stop();
      }
      await app.kill();
      for (const { connection } of someone) {
        await expect.poll(() => outcome(connection)).toBe('no upstream takes it');
      }
      await managers[0]!.clients.all.send('say', 'still there');
      for (const { connection, said } of someone) {
        expect(await said.first(() => true, 'the last word')).toEqual(['still there']);
        await connection.stop();
      }
      for (const { log } of managers) expect(log).toEqual([]);
    });
  });
});

/** What answers a call: an app server by its process id, or the edge. */
async function outcome(connection: HubConnection): Promise<unknown> {
  try {
    return await connection.invoke('pid');
  } catch (error) {
    const { message } = error as Error;
    return message.includes('no upstream takes it') ? 'no upstream takes it' : message;
  }
}
