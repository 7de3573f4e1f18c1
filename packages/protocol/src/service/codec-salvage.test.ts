import { expect, test } from 'vitest';
import {
  decodeServiceMessage,
  readServiceMessage,
  salvageServiceMessage,
  UnreadableMessage,
} from './decode.ts';
import { bodyOf, bytes, protocolError } from './frames.test-support.ts';
import { LAYOUTS } from './layouts.ts';
import { mutations } from './mutations.test-support.ts';
import { VECTORS, vectorBytes } from './vectors/index.ts';

test.each(VECTORS.map((vector) => [vector.name, vector] as const))(
  '%s with any one element wrong gives all the others',
  (_name, vector) => {
    const body = bodyOf(vectorBytes(vector));
    const whole = salvageServiceMessage(body);
    expect(whole).toMatchObject({ type: vector.message.type });
    const fields = LAYOUTS.get(vector.message.type)?.fields ?? [];
    for (const { body: mutated, element } of mutations(body)) {
      const error = protocolError(() => decodeServiceMessage(mutated));
      const rest = salvageServiceMessage(mutated);
      expect(rest['type']).toBe(vector.message.type);
      if (error === undefined) continue;
      const before = fields.slice(0, element - 1).map(({ name }) => name);
      const intact = (all: Readonly<Record<string, unknown>>) => before.map((name) => all[name]);
      expect(intact(rest)).toStrictEqual(intact(whole));
    }
  },
);

test.each([
  ['nothing', '', {}],
  ['no array', 'a161', {}],
  ['more elements than there are bytes', 'dc ffff 12', {}],
  ['a type that is text', '92 a161 01', {}],
  ['a type that nobody knows', '92 7f c1', { type: 127 }],
  ['fewer elements than there may be', '93 04 a163 01', { type: 4, connectionId: 'c' }],
  ['an element that no reader can get past', '95 12 c1 a167 07 80', { type: 18 }],
  [
    'a wrong element in front of the rest',
    '95 12 01 a167 07 80',
    { type: 18, group: 'g', ackId: 7 },
  ],
])('%s', (_what, hex, rest) => {
  expect(salvageServiceMessage(bytes(hex))).toEqual(rest);
});

test('a frame that can be read gives its message, or nothing for a type that nobody knows', () => {
  const frames = bytes('ff 92 03 a161 91 7f');
  expect(readServiceMessage(frames, 1, 5)).toStrictEqual({ type: 3, entries: ['a'] });
  expect(readServiceMessage(frames, 5, 7)).toBeUndefined();
});

test.each([
  ['95 12 01 a167 07 80', 'wrong-type', 'JoinGroupWithAck', { type: 18, group: 'g', ackId: 7 }],
  ['92 a161 01', 'wrong-type', 'unknown', {}],
  ['93 06 a163', 'truncated', 'ConnectionData', { type: 6, connectionId: 'c' }],
])('%s gives what was wrong, and what is left of it', (hex, code, typeName, remains) => {
  const message = readServiceMessage(bytes('ff', hex), 1, bytes('ff', hex).length);
  expect(message).toBeInstanceOf(UnreadableMessage);
  expect(message).toMatchObject({ error: { code }, typeName, remains });
});
