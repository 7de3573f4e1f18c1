import type { BusEngine } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ENGINES, knows } from './engines.ts';
import { connectTo, type Place, startPlace } from './place.ts';

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
      for (const place of [near, far]) await place[Symbol.asyncDispose]();
      await engine.stop();
    });

    it('joins clients to groups, and what it is told is done: the next send reaches them', async () => {
      const { id, told, connection } = await connectTo(far, 'ann');
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
      const { id, connection, closed } = await connectTo(far, 'bob');
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
      const { id, connection } = await connectTo(far, 'cid');
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
        [near, far, far, near, far].map((place) => connectTo(place, 'dan')),
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
        ['eve', 'fay', 'gil'].map((user) => connectTo(far, user)),
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
      const { id } = await connectTo(third, 'hal');
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
