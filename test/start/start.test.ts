import { once } from 'node:events';
import { expect, it } from 'vitest';
import { isAlive, NpmStart } from './npm-start.ts';

it('serves the chat, and ends with all its children when npm is told to', async () => {
  await using start = new NpmStart();
  await start.running();
  const page = await fetch(start.url('Chat sample'));
  expect(page.status).toBe(200);
  const negotiate = await fetch(`${start.url('Negotiate service')}/chat/negotiate?user=ann`, {
    method: 'POST',
  });
  expect(await negotiate.json()).toMatchObject({ negotiateVersion: 0 });
  const below = start.descendants();
  expect(below.length).toBeGreaterThanOrEqual(5);
  start.npm.kill('SIGTERM');
  await expect.poll(() => below.filter(isAlive), { timeout: 10_000 }).toEqual([]);
}, 90_000);

it('takes a signal that comes twice, as from a terminal through npm, as one', async () => {
  await using start = new NpmStart();
  await start.running();
  const exited = once(start.npm, 'exit');
  process.kill(-start.npm.pid!, 'SIGINT');
  process.kill(-start.npm.pid!, 'SIGINT');
  await exited;
  await expect.poll(() => start.output).toContain('Trunkline has stopped.');
}, 90_000);

it('stops the others, and fails, when one of its services ends', async () => {
  await using start = new NpmStart();
  await start.running();
  const below = start.descendants();
  const exited = once(start.npm, 'exit');
  process.kill(start.service('negotiate'), 'SIGKILL');
  expect((await exited)[0]).toBe(1);
  expect(start.output).toContain('trunkline: negotiate has ended with SIGKILL');
  expect(below.filter(isAlive)).toEqual([]);
}, 90_000);
