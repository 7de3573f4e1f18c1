import type { DotnetManager, DotnetStandIn } from '@trunkline/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { failureOf } from '../../conformance/client.ts';
import { connectClient, type Protocol, type RestClient } from '../../edge/support/rest.ts';
import { ARRANGEMENTS, type ManagementScene, startScene } from './management-scene.ts';
import { fate, TEST_MS, unique } from './world.ts';

const HUB = 'main';

/** All that the Management SDK does over its weak connections in persistent mode (section 9). */
describe.each(ARRANGEMENTS)('a manager of $name', { timeout: TEST_MS }, ({ edges, by, lacks }) => {
  describe.skipIf(lacks)('can', () => {
    let scene: ManagementScene;
    let app: DotnetStandIn | undefined;
    let manager: DotnetManager;
    const clients: RestClient[] = [];

    beforeAll(async () => {
      const served = { withoutServer: 'upstream', upstream: [] };
      scene = await startScene({ edges, hubs: by === 'the edge' ? { [HUB]: served } : {} });
      if (by === 'an app server') app = await scene.startApp();
      manager = await scene.manage(HUB);
    });
    afterEach(async () => {
      await Promise.all(clients.splice(0).map(({ connection }) => connection.stop()));
    });
    afterAll(() => scene?.[Symbol.asyncDispose]());

    async function connect(
      user: string,
      protocol: Protocol = 'json',
      at = scene.first,
    ): Promise<RestClient> {
      const client = await connectClient(at.url, { hub: HUB, user, protocol });
      clients.push(client);
      return client;
    }

    /** One at the other edge, where there are two, and one at the manager's own. */
    const two = (ann: string, bob: string) =>
      Promise.all([connect(ann), connect(bob, 'messagepack', scene.last)]);

    /** What each has heard, up to a last word to all. */
    async function heard(...some: readonly RestClient[]): Promise<unknown[][]> {
      await manager.clients.all.send('say', 'end');
      const all = some.map(async ({ said }) => {
        await said.first(([text]) => text === 'end', 'the last word');
        return said.all.flat().slice(0, -1);
      });
      return Promise.all(all);
    }

    it('send to exactly whom it means', async () => {
      const [annsName, bobsName, red] = [unique('ann'), unique('bob'), unique('red')];
      const [ann, bob] = await two(annsName, bobsName);
      expect(await manager.groups.add(ann.id, red)).toBe(true);
      const { clients: to } = manager;
      await to.all.send('say', 'both');
      await to.allExcept([bob.id]).send('say', 'all but bob');
      await to.client(ann.id).send('say', 'ann');
      await to.clients([ann.id, bob.id]).send('say', 'two');
      await to.group(red).send('say', 'red');
      await to.groupExcept(red, [ann.id]).send('say', 'nobody');
      await to.groups([red, unique('blue')]).send('say', 'groups');
      await to.user(bobsName).send('say', 'user bob');
      await to.users([annsName, bobsName, 'nobody']).send('say', 'users');
      expect(await heard(ann, bob)).toEqual([
        ['both', 'all but bob', 'ann', 'two', 'red', 'groups', 'users'],
        ['both', 'two', 'user bob', 'users'],
      ]);
    });

    it('put connections into groups and out of them, in force when acknowledged', async () => {
      const [ann, bob] = await two(unique('ann'), unique('bob'));
      const [red, blue] = [unique('red'), unique('blue')];
      expect(await manager.groups.add('nobody', red)).toBe(false);
      for (const { id } of [ann, bob]) expect(await manager.groups.add(id, red)).toBe(true);
      expect(await manager.groups.add(ann.id, blue)).toBe(true);
      await manager.clients.group(red).send('say', 'both');
      expect(await manager.groups.remove(bob.id, red)).toBe(true);
      await manager.clients.group(red).send('say', 'ann');
      expect(await manager.groups.removeFromAll(ann.id)).toBe(true);
      await manager.clients.groups([red, blue]).send('say', 'nobody');
      expect(await manager.groups.remove('nobody', red)).toBe(false);
      expect(await heard(ann, bob)).toEqual([['both', 'ann'], ['both']]);
    });

    it('put users into groups: those that are there, and those to come for as long as it says', async () => {
      const { userGroups } = manager;
      const [user, lasting, once] = [unique('cal'), unique('lasting'), unique('once')];
      const now = await connect(user);
      await userGroups.add(user, lasting, 60);
      await userGroups.add(user, once, 0);
      const later = await connect(user, 'messagepack', scene.last);
      await manager.clients.groups([lasting]).send('say', 'lasting');
      await manager.clients.groups([once]).send('say', 'once');
      expect(await userGroups.has(user, lasting)).toBe(true);
      await userGroups.remove(user, lasting);
      expect(await userGroups.has(user, lasting)).toBe(false);
      expect(await userGroups.has(user, once)).toBe(true);
      await userGroups.add(user, lasting);
      await userGroups.removeFromAll(user);
      expect(await userGroups.has(user, once)).toBe(false);
      const last = await connect(user);
      await manager.clients.groups([lasting, once]).send('say', 'nobody');
      expect(await heard(now, later, last)).toEqual([['lasting', 'once'], ['lasting'], []]);
    });

    it('ask who is there', async () => {
      const [user, group] = [unique('dan'), unique('green')];
      const { clientManager, groups } = manager;
      const known = (id: string) =>
        Promise.all([
          clientManager.connectionExists(id),
          clientManager.userExists(user),
          clientManager.groupExists(group),
        ]);
      expect(await known('nobody')).toEqual([false, false, false]);
      const { id, connection } = await connect(user);
      await groups.add(id, group);
      expect(await known(id)).toEqual([true, true, true]);
      await connection.stop();
      await expect.poll(() => known(id)).toEqual([false, false, false]);
    });

    it('close connections, which are told why', async () => {
      const { clientManager } = manager;
      const [eve, group] = [unique('eve'), unique('yellow')];
      const [first, second] = await two(eve, eve);
      const third = await connect(unique('fay'));
      const fourth = await connect(unique('fay'), 'messagepack', scene.last);
      for (const { id } of [first, fourth]) await manager.groups.add(id, group);
      await clientManager.close(third.id, 'without an ack');
      expect(await third.closed).toContain('without an ack');
      expect(await clientManager.closeOne('nobody', 'gone')).toBe(false);
      expect(await clientManager.closeUser(eve, 'a user', [first.id])).toBe(true);
      expect(await second.closed).toContain('a user');
      expect(await clientManager.closeGroup(group, 'a group', [first.id])).toBe(true);
      expect(await fourth.closed).toContain('a group');
      const fifth = await connect(unique('fay'));
      expect(await clientManager.closeAll('all', [fifth.id])).toBe(true);
      expect(await first.closed).toContain('all');
      expect(await clientManager.closeOne(fifth.id, 'one')).toBe(true);
      expect(await fifth.closed).toContain('one');
      if (app === undefined) return;
      for (const { id } of [first, second, third, fourth, fifth]) {
        await expect.poll(() => fate(app!, id).at(-1)).toMatch(/^disconnected/);
      }
    });

    it('list a group page by page', async () => {
      const [user, group] = [unique('gus'), unique('violet')];
      const all: RestClient[] = [];
      for (let n = 0; n < 3; n++) all.push(...(await two(user, user)));
      for (const { id } of all) await manager.groups.add(id, group);
      const listed: string[] = [];
      for await (const page of manager.clientManager.pages(group, 2)) {
        expect(page.length).toBeLessThanOrEqual(2);
        for (const { connectionId, userId } of page) {
          expect(userId).toBe(user);
          listed.push(connectionId);
        }
      }
      expect(listed.toSorted()).toEqual(all.map(({ id }) => id).toSorted());
      for await (const page of manager.clientManager.pages(unique('empty'))) {
        expect(page).toEqual([]);
      }
    });

    it('ask clients, and has their answers', async () => {
      const both = await two(unique('hal'), unique('ida'));
      for (const { connection } of both) {
        connection.on('add', (a: number, b: number) => a + b);
        connection.on('fail', () => Promise.reject(new Error('no')));
        connection.on('never', () => new Promise(() => {}));
      }
      for (const { id } of both) {
        const client = manager.clients.client(id);
        const sums = Array.from({ length: 20 }, (_, n) => client.invoke('add', [n, 1]));
        expect(await Promise.all(sums)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
        expect(await failureOf(client.invoke('fail', []))).toContain('no');
      }
      const nobody = manager.clients.client('nobody').invoke('add', [1, 1]);
      expect(await failureOf(nobody)).toContain('does not exist');
      for (const { id, connection } of both) {
        const asked = failureOf(manager.clients.client(id).invoke('never', []));
        // Behind the question, so that it is known to have come.
        expect(await manager.clients.client(id).invoke('add', [1, 1])).toBe(2);
        await connection.stop();
        expect(await asked).toContain('disconnected');
      }
    });

    it('say at the end that it was given no client, and nothing that it could not read', () => {
      expect(manager.log).toEqual([]);
    });
  });
});
