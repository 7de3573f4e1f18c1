import type { BusEngine } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { call } from '../edge/support/rest.ts';
import { ENGINES, knows } from './engines.ts';
import { connectTo, type DeskConnection, type Place, startPlace } from './place.ts';

/**
 * An edge that has been killed counts as gone after three seconds (docs/clustering.md); the rest is for a
 * look that comes next, and for a machine that is busy.
 */
const NOTICED_MS = 4_500;
const LOOK_MS = 100;

interface Page {
  readonly value: readonly { readonly connectionId: string; readonly userId?: string }[];
  readonly cursor?: string;
}

async function ask<T>({ edge }: Place, what: string): Promise<T> {
  const answer = await call(edge.url, `GET /api/x/hubs/desk/${what}`);
  expect([answer.status, answer.body]).toEqual([200, expect.any(String)]);
  return JSON.parse(answer.body) as T;
}

const count = async (place: Place, scope: string): Promise<number> =>
  (await ask<{ count: number }>(place, `${scope}count`)).count;

async function pages(place: Place, scope: string, top: number): Promise<string[][]> {
  const found: string[][] = [];
  let cursor: string | undefined;
  do {
    const from = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await ask<Page>(place, `${scope}connections?top=${top}${from}`);
    found.push(page.value.map(({ connectionId }) => connectionId));
    ({ cursor } = page);
  } while (cursor !== undefined);
  return found;
}

const idsOf = (clients: readonly DeskConnection[]): string[] =>
  clients.map(({ id }) => id).toSorted();
const stopAll = (clients: readonly DeskConnection[]): Promise<unknown> =>
  Promise.all(clients.map(({ connection }) => connection.stop()));

describe.each(ENGINES)('presence at three edges, on $label,', ({ isHere, scheme, start }) => {
  describe.skipIf(!isHere)('where it is', () => {
    let engine: BusEngine;
    let places: Place[];

    beforeAll(async () => {
      engine = await start();
      const bus = `${scheme}://${engine.host}`;
      places = await Promise.all([startPlace(bus), startPlace(bus), startPlace(bus)]);
      for (const { edge } of places) await knows(edge, 3);
    });
    afterAll(async () => {
      for (const place of places) await place[Symbol.asyncDispose]();
      await engine.stop();
    });

    /** Clients at the edges in turn, all in the group. */
    async function crowd(users: readonly string[], group: string): Promise<DeskConnection[]> {
      const clients = await Promise.all(users.map((user, at) => connectTo(places[at % 3]!, user)));
      for (const { id } of clients) await places[0]!.desk.groups.add(id, group);
      return clients;
    }

    it('is counted and listed by hub, group and user, page by page, at any edge', async () => {
      const users = ['ann', 'ann', 'ben', 'ann', 'cid', 'ann', 'ben'];
      const clients = await crowd(users, 'a room');
      const outside = await connectTo(places[1]!, 'dan');
      const ofAnn = clients.filter((_client, at) => users[at] === 'ann');
      for (const [scope, those] of [
        ['', [...clients, outside]],
        ['groups/a%20room/', clients],
        ['users/ann/', ofAnn],
      ] as const) {
        for (const place of places) {
          expect(await count(place, scope)).toBe(those.length);
          const found = await pages(place, scope, 2);
          expect(found.slice(0, -1).every(({ length }) => length === 2)).toBe(true);
          expect(found.flat().toSorted()).toEqual(idsOf(those));
        }
      }
      const [near] = places as [Place];
      expect(await near.desk.connections.count({ userId: 'ann' })).toBe(4);
      const listed: unknown[] = [];
      for await (const member of near.desk.presence('a room').list()) listed.push(member);
      expect(listed).toContainEqual({ connectionId: ofAnn[0]!.id, userId: 'ann' });
      expect(listed).toHaveLength(7);
      await stopAll([...clients, outside]);
    });

    it('tells an app server who joins and leaves, at whichever edge, and what an edge had that was killed', async () => {
      const [near, far, third] = places as [Place, Place, Place];
      const room = near.desk.presence('room', { interval: LOOK_MS });
      onTestFinished(() => room.stop());
      const there = new Map<string, string | undefined>();
      const left: string[] = [];
      room.on('join', ({ connectionId, userId }) => void there.set(connectionId, userId));
      room.on('leave', ({ connectionId }) => {
        left.push(connectionId);
        there.delete(connectionId);
      });
      const present = () => [...there.keys()].toSorted();

      const first = await crowd(['ann', 'ben', 'cid'], 'room');
      room.start();
      await expect.poll(present).toEqual(idsOf(first));
      const second = await crowd(['dan', 'eve', 'fay'], 'room');
      await expect.poll(present).toEqual(idsOf([...first, ...second]));
      expect(there.get(second[1]!.id)).toBe('eve');
      await near.desk.groups.remove(first[0]!.id, 'room');
      await first[1]!.connection.stop();
      const stay = [second[0]!, second[1]!];
      await expect.poll(present).toEqual(idsOf([...stay, first[2]!, second[2]!]));
      expect(left.toSorted()).toEqual(idsOf([first[0]!, first[1]!]));

      left.length = 0;
      third.edge.child.kill('SIGKILL');
      const killed = performance.now();
      const gone = idsOf([first[2]!, second[2]!]);
      await expect.poll(() => left.toSorted(), { timeout: NOTICED_MS, interval: 20 }).toEqual(gone);
      const noticed = performance.now() - killed;
      expect(noticed).toBeLessThan(NOTICED_MS);
      expect(present()).toEqual(idsOf(stay));
      for (const place of [near, far]) {
        expect(await count(place, 'groups/room/')).toBe(2);
        expect(await count(place, '')).toBe(3);
        expect((await pages(place, 'groups/room/', 1)).flat().toSorted()).toEqual(idsOf(stay));
      }
      await stopAll([...first, ...second]);
      await expect.poll(present).toEqual([]);
    });
  });
});
