import { type DotnetStandIn, Mailbox } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { failureOf } from '../../conformance/client.ts';
import { type ClientOptions, type ProtocolName, TEST_MS, World } from './world.ts';

const WAIT_MS = 10_000;

/** Two processes of 1.34.0 with one hub (service protocol reference, sections 11 and 20.5). */
describe('client results of apps on 1.34.0', { timeout: TEST_MS }, () => {
  let world: World;
  let near: DotnetStandIn;
  let far: DotnetStandIn;

  beforeAll(async () => {
    world = await World.start();
    near = await world.startApp('1.34.0', { sticky: 'Preferred' });
    far = await world.startApp('1.34.0', { prefix: near.prefix, sticky: 'Preferred' });
  });

  afterAll(async () => world[Symbol.asyncDispose]());

  const hosts: [string, () => DotnetStandIn, ProtocolName][] = [
    ['the process that asks', () => near, 'json'],
    ['the process that asks, in MessagePack', () => near, 'messagepack'],
    ['another process', () => far, 'json'],
    ['another process, in MessagePack', () => far, 'messagepack'],
  ];

  /** Somebody who asks from `near`, and a client of `host` to be asked. */
  async function cast(host: DotnetStandIn, protocol: ProtocolName, options: ClientOptions = {}) {
    const hub = 'detailed';
    const asker = await world.connect(near, { hub });
    const asked = await world.connect(host, { hub, protocol, ...options });
    return { asker, asked, id: await asked.id() };
  }

  it.each(hosts)('come from a client of %s', async (_name, host, protocol) => {
    const confirm = (question: string): unknown => ({ question, yes: true });
    const { asker, asked, id } = await cast(host(), protocol, { confirm });
    expect(await Promise.all([asker.invoke('pid'), asked.invoke('pid')])).toEqual([
      near.pid,
      host().pid,
    ]);
    const answer = await asker.invoke('ask', id, 'sure?', WAIT_MS);
    expect(answer).toEqual({ question: 'sure?', yes: true });
  });

  it('come to a fresh process from its first question on, from its own clients and others', async () => {
    const fresh = await world.startApp('1.34.0', { prefix: near.prefix, sticky: 'Preferred' });
    const confirm = (question: string): string => `${question} yes`;
    const asker = await world.connect(fresh, { hub: 'detailed' });
    const asked = await world.connect(fresh, { hub: 'detailed', confirm });
    const other = await world.connect(far, { hub: 'detailed', confirm });
    const ids = [await asked.id(), await other.id()];
    for (let n = 0; n < 20; n++) {
      expect(await asker.invoke('ask', ids[n % 2], `${n}`, WAIT_MS)).toBe(`${n} yes`);
    }
  });

  it.each(hosts)('are errors of a client of %s', async (_name, host, protocol) => {
    const confirm = (): never => {
      throw new Error('do not ask me');
    };
    const { asker, id } = await cast(host(), protocol, { confirm });
    expect(await asker.failure('ask', id, 'sure?', WAIT_MS)).toContain('do not ask me');
  });

  it.each(hosts)('never come from a client of %s that leaves', async (_name, host, protocol) => {
    const asked = new Mailbox<true>();
    const confirm = (): Promise<never> => {
      asked.add(true);
      return new Promise(() => {});
    };
    const { asker, asked: client, id } = await cast(host(), protocol, { confirm });
    const failure = asker.failure('ask', id, 'sure?', WAIT_MS);
    await asked.first(() => true, 'the question');
    await client.connection.stop();
    expect(await failure).toMatch(new RegExp(`Connection '${id}' (is )?disconnected`));
  });

  it('never come from a client that is not there, which the app is told at once', async () => {
    const asker = await world.connect(near, { hub: 'detailed' });
    const failure = await asker.failure('ask', 'nobody', 'sure?', WAIT_MS);
    expect(failure).toContain("Connection 'nobody' does not exist.");
  });

  it('never come when the process that has the client is killed', async () => {
    const dying = await world.startApp('1.34.0', { prefix: near.prefix, sticky: 'Preferred' });
    const asked = new Mailbox<true>();
    const confirm = (): Promise<never> => {
      asked.add(true);
      return new Promise(() => {});
    };
    const { asker, id } = await cast(dying, 'json', { confirm });
    const failure = failureOf(asker.invoke('ask', id, 'sure?', WAIT_MS));
    await asked.first(() => true, 'the question');
    await dying.kill();
    expect(await failure).toContain(`Connection '${id}' disconnected.`);
  });

  it('give the app servers nothing to complain about', () => {
    expect(world.complaints()).toEqual([]);
  });
});

describe('client results of an app on 1.15.2', { timeout: TEST_MS }, () => {
  it('are not implemented, and nobody waits', async () => {
    await using world = await World.start();
    const app = await world.startApp('1.15.2');
    const client = await world.connect(app, { hub: 'detailed', confirm: () => 'yes' });
    const failure = await client.failure('ask', await client.id(), 'sure?', WAIT_MS);
    expect(failure).toContain('NotImplementedException');
    expect(world.complaints()).toEqual([]);
  });
});
