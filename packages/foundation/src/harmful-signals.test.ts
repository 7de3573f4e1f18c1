import { EventEmitter } from 'node:events';
import { expect, it, vi } from 'vitest';
import { holdHangUps } from './harmful-signals.ts';

function signals() {
  const source = Object.assign(new EventEmitter(), { pid: 7, kill: vi.fn() });
  const release = holdHangUps(source);
  return { source, release };
}

it('sends a SIGHUP that came when nobody listened once more when it is released', () => {
  const { source, release } = signals();
  source.emit('SIGHUP');
  source.emit('SIGHUP');
  expect(source.kill).not.toHaveBeenCalled();
  release();
  expect(source.listenerCount('SIGHUP')).toBe(0);
  expect(source.kill.mock.calls).toEqual([[7, 'SIGHUP']]);
});

it('sends none where none came, nor one that somebody has heard', () => {
  const { source, release } = signals();
  const heard = vi.fn();
  source.on('SIGHUP', heard);
  source.emit('SIGHUP');
  release();
  expect(heard).toHaveBeenCalledOnce();
  expect(source.listeners('SIGHUP')).toEqual([heard]);
  expect(source.kill).not.toHaveBeenCalled();
});
