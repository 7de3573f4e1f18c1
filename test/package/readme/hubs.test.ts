import { Subject } from '@microsoft/signalr';
import type { StartedProcess } from '@trunkline/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { HUB_EXAMPLES, readExamples } from './examples.ts';
import { Stage, unsaid } from './stage.ts';

const POLL = { timeout: 5000 };

const examples = await readExamples();
let stage: Stage;
let app: StartedProcess<string>;
beforeAll(async () => {
  stage = await Stage.set(examples);
  const hubs = Object.entries(HUB_EXAMPLES);
  app = await stage.script(
    `import { createServer } from '@trunkline/sdk';
     ${hubs.map(([file, name]) => `import { ${name} } from './${file}';`).join('\n')}
     const server = createServer();
     ${hubs.map(([, name]) => `server.hub('/${name}', ${name});`).join('\n')}
     await server.start();`,
  );
});
afterAll(async () => {
  await app?.stop();
  await stage?.strike();
});

test('room.ts', async () => {
  await using ada = await stage.join('room', { userId: 'ada', claims: { role: 'admin' } });
  const seen: unknown[] = [];
  for (const name of ['arrived', 'left']) {
    ada.connection.on(name, (user: string) => seen.push([name, user]));
  }
  const bob = await stage.join('room', { userId: 'bob' }, '&room=blue');
  expect(await ada.invoke('whoAmI')).toMatchObject({
    connectionId: expect.any(String) as string,
    userIdentifier: 'ada',
    claims: { role: 'admin' },
    since: expect.any(Number) as number,
  });
  expect(await bob.invoke('whoAmI')).toMatchObject({ userIdentifier: 'bob', room: 'blue' });
  expect(await bob.failure('rename', 'x'.repeat(21))).toContain('at most 20 characters.');
  await bob.invoke('rename', 'Robert');
  await bob.connection.send('leave');
  await bob.event('closed');
  await vi.waitFor(() => {
    expect(seen).toEqual([
      ['arrived', 'bob'],
      ['left', 'Robert'],
    ]);
  });
});

test('moderated.ts', async () => {
  await using ada = await stage.join('moderated', { claims: { role: 'admin' } });
  await using bob = await stage.join('moderated');
  await ada.invoke('SendMessage', 'hello');
  await ada.invoke('Say', 'again');
  expect(await bob.numbers(2)).toEqual(['hello', 'again']);
  expect(await ada.failure('Say', 'x'.repeat(2001))).toContain(
    "Failed to invoke 'Say' due to an error on the server.",
  );
  expect(await ada.invoke('ban', 'eve')).toBe('eve is banned');
  expect(await bob.failure('ban', 'eve')).toContain(
    "Failed to invoke 'ban' because user is unauthorized",
  );
  const stars = new Subject<number>();
  const rated = ada.invoke('rate', stars);
  for (const star of [1, 5]) stars.next(star);
  stars.complete();
  expect(await rated).toBe(2);
  expect(await ada.invoke('history')).toEqual(['hello']);
});

test('asking.ts', async () => {
  await using ada = await stage.join('asking');
  await using bob = await stage.join('asking');
  ada.connection.on('confirm', (question: string) => question === 'Remove it?');
  expect(await ada.invoke('remove', 'it')).toBe('it is gone');
  expect(await ada.invoke('remove', 'all')).toBe('all stays');
  const { connectionId } = ada.connection;
  expect(await bob.invoke('ask', connectionId, 'Remove it?')).toBe(true);
});

test('numbers.ts', async () => {
  await using ada = await stage.join('numbers');
  expect(await ada.stream('countdown', 3)).toEqual([3, 2, 1]);
  const source = await ada.stream<string>('source');
  expect(source.join('')).toBe(examples.get('numbers.ts'));
  const [sum, scaled] = [new Subject<number>(), new Subject<number>()];
  const answers = Promise.all([ada.invoke('sum', sum), ada.stream('scaled', 2, scaled)]);
  for (const numbers of [sum, scaled]) {
    for (const number of [1, 2, 3]) numbers.next(number);
    numbers.complete();
  }
  expect(await answers).toEqual([6, [2, 4, 6]]);
});

test('reports.ts', async () => {
  const ada = await stage.join('reports');
  const report = ada.invoke('make', 2026).catch(() => 'no report');
  const { items, cancel } = ada.follow('ticks');
  await items.first(() => true, 'a tick');
  cancel();
  await expect.poll(() => unsaid(app, 'nobody listens any more'), POLL).toEqual([]);
  await ada.connection.stop();
  expect(await report).toBe('no report');
  expect(app.output()).not.toContain('threw');
});
