import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { stopRequest } from './stop-request.ts';

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
