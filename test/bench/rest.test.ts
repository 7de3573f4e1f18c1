import { expect, it, onTestFinished } from 'vitest';

import { startRestSide } from './rest-side.ts';

const HEAR_TIMEOUT_MS = 30_000;

it('a REST caller sends to whom it is told to, and lists a group page by page', async () => {
  const side = await startRestSide(3);
  onTestFinished(async () => void (await side.stop()));
  const { app, caller, crowd } = side;
  const [connection] = await app.connections();
  for (const [to, name, messages] of [
    ['all', '', 3],
    ['group', 'group-0', 3],
    ['user', crowd.userIds[0]!, 1],
    ['connection', connection!, 1],
  ] as const) {
    await caller.send({ to, names: [name], times: 40 });
    await crowd.load.do('hear', { messages: 40 * messages }, HEAR_TIMEOUT_MS);
  }
  expect(await caller.list({ group: 'group-0', pageSize: 2, seconds: 0 })).toMatchObject({
    pages: 1,
  });
});
