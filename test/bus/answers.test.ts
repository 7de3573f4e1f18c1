import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { createServer, Hub, type HubHandle } from '@trunkline/sdk';
import { type BusEngine, startEdge, type StartedEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openSite, type Site } from '../sdk/site.ts';
import { ENGINES, knows } from './engines.ts';

/** What its clients offer. */
interface DeskClient {
  told(text: string): void;
  add(a: number, b: number): number;
}

class Desk extends Hub<DeskClient> {
  id(): string {
    return this.context.connectionId;
  }
}

/** An edge with an app server of its own, and clients that negotiate with that. */
interface Place {
  readonly edge: StartedEdge;
  readonly desk: HubHandle<DeskClient>;
  readonly site: Site;
}

async function startPlace(bus: string): Promise<Place> {
  const edge = await startEdge({ args: ['--bus', bus] });
  const connectionString = formatConnectionString(edge.url, DEVELOPMENT_ACCESS_KEY);
  const server = createServer({ connectionString });
  const desk = server.hub('/desk', Desk);
  const userId = ({ headers }: { headers: Record<string, unknown> }) => headers['x-user'] as string;
  return { edge, desk, site: await openSite(server, { userId }) };
}

/** A client of a place, with what it was told, and why its connection ended. */
async function connect({ site }: Place, user: string) {
  const told: string[] = [];
  const connection = new HubConnectionBuilder()
    .withUrl(`${site.url}/desk`, { headers: { 'x-user': user } })
    .configureLogging(LogLevel.None)
    .build();
  connection.on('told', (text: string) => void told.push(text));
  connection.on('add', (a: number, b: number) => a + b);
  const closed = new Promise<Error | undefined>((resolve) => connection.onclose(resolve));
  await connection.start();
  return { connection, closed, told, id: await connection.invoke<string>('id') };
}

describe.each(ENGINES)('an app server at another edge, on $label,', ({ isHere, scheme, start }) => {
  describe.skipIf(!isHere)('where it is', () => {
    let engine: BusEngine;
    let near: Place;
    let far: Place;

    beforeAll(async () => {
      engine = await start();
      const bus = `${scheme}://${engine.host}`;
      [near, far] = await Promise.all([startPlace(bus), startPlace(bus)]);
      for (const { edge } of [near, far]) await knows(edge, 2);
    });
    afterAll(async () => {
      for (const { site, edge } of [near, far]) {
        await site[Symbol.asyncDispose]();
        await edge.stop();
      }
      await engine.stop();
    });

    it('joins clients to groups, and what it is told is done: the next send reaches them', async () => {
      const { id, told, connection } = await connect(far, 'ann');
      for (let n = 0; n < 100; n++) {
        await near.desk.groups.add(id, `group ${n}`);
        // From the other app server, right after the ack.
        await far.desk.clients.group(`group ${n}`).told(`${n}`);
      }
      await expect.poll(() => told.length).toBe(100);
      expect(told).toEqual(Array.from({ length: 100 }, (_value, n) => `${n}`));
      await near.desk.groups.removeFromAll(id);
      expect(await near.desk.groupExists('group 0')).toBe(false);
      await connection.stop();
    });

    it('knows what is there, and what is not', async () => {
      const { id, connection, closed } = await connect(far, 'bob');
      await far.desk.groups.add(id, 'bobs');
      const known = () =>
        Promise.all([
          near.desk.connectionExists(id),
          near.desk.userExists('bob'),
          near.desk.groupExists('bobs'),
          near.desk.userGroups.has('bob', 'bobs'),
        ]);
      expect(await known()).toEqual([true, true, true, true]);
      await connection.stop();
      await closed;
      await expect.poll(known).toEqual([false, false, false, false]);
    });

    it('asks clients, and gets their answers', async () => {
      const { id, connection } = await connect(far, 'cid');
      const asked = Array.from({ length: 20 }, (_, n) =>
        near.desk.clients.client(id).invoke().add(n, 1),
      );
      expect(await Promise.all(asked)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
      await connection.stop();
      await expect(near.desk.clients.client(id).invoke().add(1, 1)).rejects.toThrow(
        /does not exist|disconnected/,
      );
    });

    it('lists a group of both edges, page by page', async () => {
      const clients = await Promise.all(
        [near, far, far, near, far].map((place) => connect(place, 'dan')),
      );
      for (const { id } of clients) await near.desk.groups.add(id, 'dans');
      for (const { desk } of [near, far]) {
        const listed: string[] = [];
        for await (const { connectionId } of desk.groups.connections('dans')) {
          listed.push(connectionId);
        }
        expect(listed.toSorted()).toEqual(clients.map(({ id }) => id).toSorted());
      }
      await Promise.all(clients.map(({ connection }) => connection.stop()));
    });

    it('closes connections, users and groups with a reason', async () => {
      const [one, two, three] = await Promise.all(
        ['eve', 'fay', 'gil'].map((user) => connect(far, user)),
      );
      await near.desk.closeConnection(one!.id, { reason: 'one goes' });
      expect((await one!.closed)?.message).toContain('one goes');
      await near.desk.closeUser('fay', { reason: 'fay goes' });
      expect((await two!.closed)?.message).toContain('fay goes');
      await near.desk.groups.add(three!.id, 'gils');
      await near.desk.closeGroup('gils', { reason: 'group goes' });
      expect((await three!.closed)?.message).toContain('group goes');
    });

    it('waits for no edge that is gone', async () => {
      const third = await startPlace(`${scheme}://${engine.host}`);
      await knows(near.edge, 3);
      const { id } = await connect(third, 'hal');
      expect(await near.desk.userExists('hal')).toBe(true);
      third.edge.child.kill('SIGKILL');
      // Three seconds at most: then who is silent counts as gone.
      const isThere = () => near.desk.userExists('hal').catch(String);
      await expect.poll(isThere, { timeout: 10_000 }).toBe(false);
      expect(await near.desk.connectionExists(id)).toBe(false);
      await knows(near.edge, 2);
      await third.site[Symbol.asyncDispose]();
    });
  });
});
