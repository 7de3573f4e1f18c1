import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { invocationId } from './hub-messages.ts';

/** The id found in `text` when other messages stand before and after it. */
function find(text: string): number {
  const before = '{"type":6}\u001e';
  const bytes = Buffer.from(`${before}${text}\u001e{"type":3,"invocationId":"99"}\u001e`);
  return invocationId(bytes, before.length, before.length + text.length);
}

it('finds the id of a message, whatever the order of its keys', () => {
  fc.assert(
    fc.property(fc.nat(), fc.boolean(), (id, first) => {
      const parts = [`"invocationId":"${id}"`, '"result":"text"'];
      expect(find(`{"type":3,${(first ? parts : parts.toReversed()).join()}}`)).toBe(id);
    }),
  );
});

it('does not find the id of the next message', () => {
  expect(find('{"type":1,"target":"tick","arguments":["text"]}')).toBe(-1);
});
