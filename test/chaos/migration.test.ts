import { deadline } from '@trunkline/testing';
import { describe, expect, it } from 'vitest';

import type { Client } from '../conformance/client.ts';
import { metric } from '../edge/support/metrics.ts';
import { Crowd } from '../soak/crowd.ts';
import { census, closes } from './census.ts';
import { expectDisconnected, expectNothingLeft } from './expectations.ts';
import { CONNECTIONS } from './start-app-server.ts';
import { expectMovedTo, expectUnaware, twoApps } from './two-apps.ts';
import { TEST_MS, World } from './world.ts';

/** By all transports, each calling again and again; one of them speaks to all. */
const CROWD = 120;
const PAUSE_MS = 600;
/** Of calls that are to end: shorter than an app server gives them when it stops. */
const SHORT_MS = 1_500;
/** Of calls that are to be cut off, however slow the machine is. */
const ENDLESS_MS = 2 * TEST_MS;
/** Between two items of a stream. */
const ITEM_MS = 50;
/** For the last of the crowd to have its answer. */
const ANSWER_MS = 5_000;
const LOST = 'The app server was lost';

/** What a client had under way when its app server went. */
interface Work {
  readonly call: Promise<PromiseSettledResult<unknown>[]>;
  readonly items: number[];
  /** Why the stream ended; undefined for all is well. */
  readonly ended: Promise<string | undefined>;
}

/** A call and a stream, both of them begun at the hub. */
async function work(world: World, client: Client, milliseconds = ENDLESS_MS): Promise<Work> {
  const call = Promise.allSettled([client.connection.invoke('echoLater', 'done', milliseconds)]);
  const items: number[] = [];
  const ended = new Promise<string | undefined>((resolve) => {
    client.connection.stream<number>('count', milliseconds / ITEM_MS).subscribe({
      next: (item) => items.push(item),
      error: (error: Error) => resolve(error.message),
      complete: () => resolve(undefined),
    });
  });
  await world.eventually(() => expect(items).not.toHaveLength(0));
  return { call, items, ended };
}

async function expectLost({ call, items, ended }: Work): Promise<void> {
  expect(await call).toMatchObject([
    { status: 'rejected', reason: { message: expect.stringContaining(LOST) } },
  ]);
  expect(await ended).toContain(LOST);
  expect(items).toEqual(items.map((_, n) => n));
}

async function expectDone({ call, items, ended }: Work): Promise<void> {
  expect(await call).toEqual([{ status: 'fulfilled', value: 'done' }]);
  expect(await ended).toBeUndefined();
  expect(items).toEqual(Array.from({ length: SHORT_MS / ITEM_MS }, (_, n) => n));
}

function crowdOf(world: World): Promise<Crowd> {
  return Crowd.connect(world.edge.url, world.hub, CROWD, PAUSE_MS);
}

/** They go on calling, and have noticed nothing but calls that failed. Then they leave. */
async function expectAtWork(world: World, crowd: Crowd, mayFail = Infinity): Promise<void> {
  const { calls } = crowd.tally;
  await world.eventually(() => expect(crowd.tally.calls).toBeGreaterThan(calls + 2 * CROWD));
  expect((await closes(world.edge)).clients).toEqual({});
  // Leaving, each waits for its last answer.
  await deadline(crowd[Symbol.asyncDispose](), ANSWER_MS, 'a call was not answered');
  expect(crowd.tally).toMatchObject({ disconnects: 0, disorder: 0 });
  expect(crowd.tally.heard).toBeGreaterThan(CROWD);
  expect(crowd.tally.failed).toBeLessThanOrEqual(mayFail);
}

/** How many clients have moved, by the edge's count, and that all of them could. */
async function moves(world: World, outcome: string): Promise<number> {
  const count = (of: string) => metric(world.edge, 'trunkline_migrations_total', { outcome: of });
  expect([await count('no_server'), await count('not_possible')]).toEqual([0, 0]);
  expect(world.edge.output()).toContain(
    '"clients left by their app server, moved or closed as it wants"',
  );
  return count(outcome);
}

describe(`${CROWD} clients at work`, { timeout: TEST_MS }, () => {
  it('go on when one of two app servers is killed; what ran there is answered', async () => {
    await using world = await World.start({ apps: ['A', 'B'] });
    const { ofA, bystander } = await twoApps(world);
    await using crowd = await crowdOf(world);
    const works = await Promise.all(ofA.map((client) => work(world, client)));

    await world.apps[0]!.kill();
    await Promise.all(works.map(expectLost));
    await expectMovedTo(world, ofA, 'B');
    await expectAtWork(world, crowd);
    await bystander.expectUndisturbed();
    expect(await moves(world, 'moved_after_loss')).toBeGreaterThan(CROWD / 3);
    expect((await closes(world.edge)).servers).toEqual({ ConnectionLost: CONNECTIONS });
    await expectNothingLeft(world, CONNECTIONS);
  });

  it('go on when one of two app servers stops, and no call fails', async () => {
    await using world = await World.start({ apps: ['A', 'B'] });
    const { ofA, idsOfA, bystander } = await twoApps(world);
    await using crowd = await crowdOf(world);
    const works = await Promise.all(ofA.map((client) => work(world, client, SHORT_MS)));

    await world.apps[0]!.stop();
    await Promise.all(works.map(expectDone));
    await expectMovedTo(world, ofA, 'B');
    await expectDisconnected(world, idsOfA);
    await expectAtWork(world, crowd, 0);
    await bystander.expectUndisturbed();
    expect(await moves(world, 'moved')).toBeGreaterThan(CROWD / 3);
    expect(await metric(world.edge, 'trunkline_failed_calls_total')).toBe(0);
    expect((await closes(world.edge)).servers).toEqual({ Normal: CONNECTIONS });
    await expectNothingLeft(world, CONNECTIONS);
  });

  it('go on when one of two app servers freezes, as soon as that is noticed', async () => {
    await using world = await World.start({ apps: ['A', 'B'] });
    const { ofA, bystander } = await twoApps(world);
    await using crowd = await crowdOf(world);
    const works = await Promise.all(ofA.map((client) => work(world, client)));

    await world.apps[0]!.freeze();
    await Promise.all(works.map(expectLost));
    await expectMovedTo(world, ofA, 'B');
    await expectAtWork(world, crowd);
    await bystander.expectUndisturbed();
    await world.apps[0]!.kill();
    expect((await closes(world.edge)).servers).toEqual({ PingTimeout: CONNECTIONS });
    await expectNothingLeft(world, CONNECTIONS);
  });

  it('wait when both app servers are killed, and go on with the one that comes', async () => {
    await using world = await World.start({ apps: ['A', 'B'] });
    const clients = await world.connectAll(10);
    await using crowd = await crowdOf(world);
    const works = await Promise.all(clients.map((client) => work(world, client)));

    await Promise.all(world.apps.map((app) => app.kill()));
    await Promise.all(works.map(expectLost));
    const waiting = clients.length + CROWD;
    await world.eventually(async () => expect((await census(world.edge)).waiting).toBe(waiting));
    const held = clients.map((client, n) => client.invoke('echo', n));
    await world.startApp({ name: 'C' });
    expect(await Promise.all(held)).toEqual(clients.map((_, n) => n));
    await expectMovedTo(world, clients, 'C');
    await expectAtWork(world, crowd);
    expectUnaware(clients);
    expect((await closes(world.edge)).servers).toEqual({ ConnectionLost: 2 * CONNECTIONS });
    await expectNothingLeft(world, CONNECTIONS);
  });
});
