import { LoadGenerator } from '@trunkline/testing';
import { expect, it } from 'vitest';

import { newTokens } from '../bench/tokens.ts';
import { bystand } from './bystander.ts';
import { census } from './census.ts';
import { expectCloses, expectNothingLeft } from './expectations.ts';
import { CONNECTIONS } from './start-app-server.ts';
import { TEST_MS, World } from './world.ts';

const STORM = 2_000;
const CALLERS = 50;

it(
  '2,000 clients connect and leave at once: no call of 50 others fails',
  { timeout: TEST_MS },
  async () => {
    await using world = await World.start({ hub: 'bench' });
    const callers = (await world.connectAll(CALLERS)).map((client) => bystand(client));
    const storm = await LoadGenerator.start(world.edge.url);
    try {
      await storm.do('connect', { tokens: newTokens(STORM), concurrency: STORM }, 30_000);
      expect((await census(world.edge)).clients).toBe(STORM + CALLERS);
      await storm.do('close', {}, 30_000);
      await world.eventually(async () => expect((await census(world.edge)).clients).toBe(CALLERS));
    } finally {
      await storm.stop();
    }
    await Promise.all(callers.map((caller) => caller.expectUndisturbed()));
    await expectCloses(world, { clients: { Normal: STORM }, servers: {} });
    await world.eventually(() => {
      const ended = world.apps[0]!.output().match(/^disconnected /gm);
      expect(ended).toHaveLength(STORM);
    });
    await expectNothingLeft(world, CONNECTIONS);
  },
);
