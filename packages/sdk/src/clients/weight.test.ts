import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { findProtocol } from '../protocols/index.ts';
import { MessagePackExtension } from '../protocols/values.ts';
import { weightOf } from './weight.ts';

describe('what values weigh beside their bytes', () => {
  test.each<[string, unknown, number]>([
    ['nothing', null, 0],
    ['a number', 1, 0],
    ['a text', 'ab', 24],
    ['an empty list', [], 56],
    ['numbers', [1, 2, 3], 56 + 3 * 8],
    ['texts', ['a', 'b'], 56 + 2 * (8 + 24)],
    ['an object', { a: 1, b: 'c' }, 56 + 2 * 32 + 24],
    ['empty objects', [{}, {}], 56 + 2 * (8 + 56)],
    ['a Map', new Map<unknown, unknown>([[1, []]]), 56 + 2 * 32 + 56],
    ['bytes, which are in the message', new Uint8Array(1000), 56],
    ['a time', new Date(), 56],
    ['an extension', new MessagePackExtension(1, new Uint8Array(9)), 56 + 2 * 32 + 56],
  ])('%s', (_what, value, weight) => {
    expect(weightOf(value)).toBe(weight);
  });

  test('however deep they are', () => {
    const record = Buffer.from(
      `{"type":2,"invocationId":"u","item":${'['.repeat(1e5)}${']'.repeat(1e5)}}\x1e`,
    );
    const message = findProtocol('json')!.parse(record, 0, record.length) as { item: unknown };
    expect(weightOf(message.item)).toBe(56 * 1e5 + 8 * (1e5 - 1));
  });

  test('all their parts together, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (values) => {
        const sum = values.reduce<number>((total, value) => total + weightOf(value), 0);
        expect(weightOf(values)).toBe(56 + 8 * values.length + sum);
      }),
    );
  });
});
