import { describe, expect, test } from 'vitest';
import type { Command, Target } from './command.ts';
import { NOBODY } from './command.ts';
import type { Effect, Publish } from './effect.ts';
import { forOthers } from './for-others.ts';

const HERE = new Set(['a', 'b']);
const isHere = (id: string): boolean => HERE.has(id);
const payloads = new Map<string, Uint8Array>();

/** What becomes of a send or a close for which so many members were found here. */
function toOthers(kind: 'send' | 'close', target: Target, found: number): Publish | undefined {
  const members = Array.from({ length: found });
  const command: Command =
    kind === 'send'
      ? { kind, target, excluded: NOBODY, payloads }
      : { kind, target, excluded: NOBODY, reason: undefined };
  const effect: Effect<unknown> =
    kind === 'send'
      ? { kind: 'deliver', members, payloads }
      : { kind: 'close', members, reason: undefined };
  const answer = { kind: 'answer', found: found > 0 } as const;
  return forOthers(command, kind === 'send' ? [effect] : [effect, answer], isHere);
}

const connections = (...ids: string[]): Target => ({ kind: 'connections', ids });
const toHub = (needs: Publish['needs']): Publish => ({
  kind: 'publish',
  to: { kind: 'hub' },
  needs,
});

describe('other edges see', () => {
  test('a send to everybody, and one to a single name only where somebody has it', () => {
    expect(toOthers('send', { kind: 'all' }, 3)).toEqual(toHub('nothing'));
    expect(toOthers('send', { kind: 'groups', names: ['g'] }, 3)).toEqual({
      kind: 'publish',
      to: { kind: 'name', of: 'group', name: 'g' },
      needs: 'nothing',
    });
    expect(toOthers('send', { kind: 'users', ids: ['u'] }, 0)).toEqual({
      kind: 'publish',
      to: { kind: 'name', of: 'user', name: 'u' },
      needs: 'nothing',
    });
  });

  test('a send to several names, whichever of them they have', () => {
    for (const names of [['g', 'h'], []]) {
      expect(toOthers('send', { kind: 'groups', names }, 0)).toEqual(toHub('nothing'));
    }
  });

  test('of connections those that are not here, each once', () => {
    expect(toOthers('send', connections('a', 'x', 'y', 'x'), 1)).toEqual({
      kind: 'publish',
      to: { kind: 'connections', ids: ['x', 'y'] },
      needs: 'nothing',
    });
    expect(toOthers('close', connections('x'), 0)).toEqual({
      kind: 'publish',
      to: { kind: 'connections', ids: ['x'] },
      needs: 'anyFound',
    });
  });

  test('nothing where all connections are here, also where one is named twice', () => {
    expect(toOthers('send', connections('a', 'b'), 2)).toBeUndefined();
    expect(toOthers('send', connections('a', 'a'), 1)).toBeUndefined();
    expect(toOthers('close', connections('a'), 1)).toBeUndefined();
  });

  test('a close of everybody, of users and of groups, whose end is awaited', () => {
    for (const target of [
      { kind: 'all' },
      { kind: 'users', ids: ['u'] },
      { kind: 'groups', names: ['g'] },
    ] as const) {
      expect(toOthers('close', target, 2)).toEqual(toHub('allDone'));
    }
  });

  test('a join, or a question, only where what it names was not found here', () => {
    const join: Command = { kind: 'join', connectionId: 'x', group: 'g' };
    const check: Command = { kind: 'checkGroup', group: 'g' };
    const found: Effect<unknown>[] = [{ kind: 'answer', found: true }];
    const missing: Effect<unknown>[] = [{ kind: 'answer', found: false }];
    for (const command of [join, check]) expect(forOthers(command, found, isHere)).toBeUndefined();
    expect(forOthers(join, missing, isHere)).toEqual({
      kind: 'publish',
      to: { kind: 'connections', ids: ['x'] },
      needs: 'anyFound',
    });
    expect(forOthers(check, missing, isHere)).toEqual(toHub('anyFound'));
    expect(forOthers(check, [...found, ...missing], isHere)).toEqual(toHub('anyFound'));
  });
});
