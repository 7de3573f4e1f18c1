import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { hurryRequest, stopRequest } from './stop-request.ts';

it.each(['SIGTERM', 'SIGINT'])('resolves on %s and goes on swallowing it', async (signal) => {
  const source = new EventEmitter();
  const request = stopRequest(source);
  source.emit(signal);
  expect(await request).toBe(signal);
  expect(source.listenerCount(signal)).toBe(1);
});

it('resolves when the parent goes, if there is a channel to it', async () => {
  const source = Object.assign(new EventEmitter(), { send: () => true });
  const request = stopRequest(source);
  source.emit('disconnect');
  expect(await request).toContain('has ended');
  expect(source.listenerCount('disconnect')).toBe(1);
});

it('resolves where the parent has gone before', async () => {
  const source = Object.assign(new EventEmitter(), { send: () => true, connected: false });
  expect(await stopRequest(source)).toContain('has ended');
});

it('does not listen for a parent without a channel', () => {
  const source = new EventEmitter();
  void stopRequest(source);
  expect(source.listenerCount('disconnect')).toBe(0);
});

it.each([
  ['SIGINT', 0],
  ['disconnect', 0],
  ['SIGTERM', 1_000],
])('who takes its time is to hurry by a %s after %i ms', async (event, ms) => {
  let time = 5_000;
  const source = Object.assign(new EventEmitter(), { send: () => true });
  const request = hurryRequest(source, () => time);
  time += ms;
  source.emit(event);
  await expect(request).resolves.toBeUndefined();
});

it('but not by a SIGTERM that npm delivers twice', async () => {
  let time = 5_000;
  const source = new EventEmitter();
  const hurried = hurryRequest(source, () => time).then(() => time);
  time += 999;
  source.emit('SIGTERM');
  time += 1;
  source.emit('SIGTERM');
  expect(await hurried).toBe(6_000);
});
