import { ByteWriter } from '@trunkline/protocol';
import { expect, test } from 'vitest';
import { decodeRulesPage, encodeRulesPage } from './rules-page.ts';

test('a page says of each rule how long it holds and how old it is, and who was taken out of what', () => {
  const page = {
    rules: [
      { userId: 'ann', group: 'g', ttlSeconds: undefined, ageSeconds: 1.5 },
      { userId: 'ben', group: 'h', ttlSeconds: 60, ageSeconds: 100_000 },
    ],
    next: undefined,
    isWhole: true,
    removals: [
      { userId: 'ann', group: 'h', ageSeconds: 2 },
      { userId: 'cid', group: undefined, ageSeconds: 0 },
    ],
  };
  expect(decodeRulesPage(encodeRulesPage(page))).toEqual(page);
});

test('rules of an edge that does not tell their age are as old as rules become', () => {
  const writer = new ByteWriter(64);
  writer.arrayHeader(3);
  writer.int(7);
  writer.arrayHeader(1);
  writer.arrayHeader(3);
  writer.text('ann');
  writer.text('g');
  writer.nil();
  writer.boolean(false);
  expect(decodeRulesPage(writer.view())).toEqual({
    rules: [{ userId: 'ann', group: 'g', ttlSeconds: undefined, ageSeconds: 365 * 24 * 60 * 60 }],
    next: 7,
    isWhole: false,
  });
});
