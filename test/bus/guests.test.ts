import { freePort, owning, startEdge, type StartedEdge } from '@trunkline/testing';
import { describe, expect, it } from 'vitest';

import type { Client } from '../conformance/client.ts';
import { Context } from '../conformance/context.ts';
import { COMPANY } from '../conformance/variants.ts';
import { startWorld, type World } from '../conformance/world.ts';
import { metric } from '../edge/support/metrics.ts';
import { type Cluster, knows, NATS_ENGINE } from './engines.ts';

const POLL = { timeout: 30_000 };
/** The newest client, on WebSockets, in JSON. */
const VARIANT = { kind: COMPANY[0]!, front: 'straight' } as const;

interface Scene extends AsyncDisposable {
  readonly world: World;
  readonly context: Context;
  /** Where clients are. */
  readonly here: StartedEdge;
  /** Which the app server has dialled, and nobody else. */
  readonly there: StartedEdge;
  /** Starts `there` again, with the same address. */
  startAgain(): Promise<StartedEdge>;
}

async function startScene(): Promise<Scene> {
  return owning(async (own) => {
    const bus = own(await NATS_ENGINE.start());
    const args = ['--bus', `${NATS_ENGINE.scheme}://${bus.host}`];
    const port = await freePort();
    const startThere = async (): Promise<StartedEdge> =>
      own(await startEdge({ args: [...args, '--port', `${port}`, '--edge-id', 'there'] }));
    const here = own(await startEdge({ args: [...args, '--edge-id', 'here'] }));
    const there = await startThere();
    await knows(here, 2);
    const cluster = async (): Promise<Cluster> => ({
      edges: [here, there],
      engine: bus,
      [Symbol.asyncDispose]: async () => {},
    });
    const world = own(await startWorld({ fronts: ['straight'], cluster, arrangement: 'apart' }));
    const context = own(new Context(world, VARIANT));
    return { world, context, here, there, startAgain: startThere };
  });
}

const remoteClients = (edge: StartedEdge): Promise<number> =>
  metric(edge, 'trunkline_cluster_remote_clients');

async function expectServed(client: Client): Promise<void> {
  await expect
    .poll(async () => client.invoke('echo', 'back').catch(() => undefined), POLL)
    .toBe('back');
}

describe.skipIf(!NATS_ENGINE.isHere)(
  `an app server at another edge, on ${NATS_ENGINE.label}`,
  () => {
    it('serves clients that are at one which it has not dialled, as one there would', async () => {
      await using scene = await startScene();
      const { context, here, there } = scene;
      const confirm = (question: string): string => `${question}!`;
      const client = await context.connect({ handlers: { confirm } });
      const other = await context.connect();
      expect(await client.invoke('echo', 'hello')).toBe('hello');
      expect(await client.stream('countdown', 3)).toEqual([3, 2, 1]);
      const numbers = context.subject<number>();
      const sum = client.invoke('sum', numbers);
      for (const number of [1, 2, 3]) numbers.next(number);
      numbers.complete();
      expect(await sum).toBe(6);
      expect(await other.invoke('ask', await client.id(), 'sure', 5_000)).toBe('sure!');
      await client.invoke('join', 'room');
      await other.invoke('relay', ['group', 'room'], ['to the room']);
      await client.messages.first(([text]) => text === 'to the room', 'a word to the room');
      expect(await remoteClients(here)).toBe(2);
      expect(await metric(there, 'trunkline_cluster_guests')).toBe(2);
      await client.connection.stop();
      await expect.poll(() => remoteClients(here), POLL).toBe(1);
      // The client says that it goes, so its hub may be the first to end it.
      const reasons = ['client_gone', 'closed_by_app_server'];
      const ended = async (): Promise<number> => {
        let count = 0;
        for (const reason of reasons) {
          count += await metric(there, 'trunkline_cluster_guest_ends_total', { reason });
        }
        return count;
      };
      await expect.poll(ended, POLL).toBe(1);
    });

    it('is lost with its edge: clients are told, and are served again when it is back', async () => {
      await using scene = await startScene();
      const { context, here, there } = scene;
      const client = await context.connect({ reconnects: true });
      await expectServed(client);
      const call = client.failure('pass', context.unique('gate nobody opens'));
      await expect.poll(() => remoteClients(here), POLL).toBe(1);
      there.child.kill('SIGKILL');
      await there.exited;
      await client.event('reconnecting');
      expect(await call).not.toBe('');
      expect(await remoteClients(here)).toBe(0);
      await scene.startAgain();
      await client.event('reconnected');
      await expectServed(client);
      expect(await remoteClients(here)).toBe(1);
    });
  },
);
