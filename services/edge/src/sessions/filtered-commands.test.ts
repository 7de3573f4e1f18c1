import { ProtocolError } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';
import type { Step } from '../model/command.ts';
import { filteredCommand, filteredMessage } from './filtered-commands.ts';

const payloads = new Map([
  ['json', Buffer.from('{"type":6}\x1e')],
  ['messagepack', Buffer.from([2, 0x91, 6])],
]);
const STEPS: readonly Step[] = [
  { kind: 'send', payloads },
  { kind: 'join', group: 'g' },
  { kind: 'leave', group: 'h' },
  { kind: 'close', reason: 'over' },
  { kind: 'close', reason: undefined },
];

describe('commands for whom a filter chooses', () => {
  test('come to other edges as they were said', () => {
    const command = filteredCommand(filteredMessage("connectionId eq 'a'", STEPS));
    if (command.kind !== 'filtered') throw new Error('it is of another kind');
    expect(command.steps).toEqual(STEPS);
    const chosen = ['a', 'b'].filter((connectionId) =>
      command.chosen({ connectionId, userId: undefined, isIn: () => false }),
    );
    expect(chosen).toEqual(['a']);
  });

  test('that a newer edge says and this one cannot read are no message', () => {
    const message = filteredMessage('', []);
    const unknown = Buffer.from([0x91, 0x92, 0x09, 0xc0]);
    for (const odd of [
      { ...message, filter: 'nearby(userId)' },
      { ...message, commands: unknown },
      { ...message, commands: Buffer.of(0x91) },
    ]) {
      expect(() => filteredCommand(odd)).toThrow(ProtocolError);
    }
  });
});
