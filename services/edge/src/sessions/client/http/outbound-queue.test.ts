import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readable, wire } from '../../fixtures.test-support.ts';
import { OutboundQueue } from './outbound-queue.ts';

describe('an outbound queue', () => {
  test('gives back everything it took, in order, as one', () => {
    const given = fc.property(
      fc.array(fc.array(fc.string({ unit: 'binary-ascii' }), { maxLength: 5 })),
      (batches) => {
        const queue = new OutboundQueue(Infinity);
        for (const batch of batches) {
          for (const message of batch) expect(queue.add(wire(message), 0)).toBe(true);
          expect(queue.bytes).toBe(batch.join('').length);
          expect(readable(queue.take())).toBe(readable(wire(batch.join(''))));
          expect(queue.bytes).toBe(0);
        }
      },
    );
    fc.assert(given);
  });

  test('keeps copies, since messages are only lent', () => {
    const queue = new OutboundQueue(10);
    const lent = wire('abc');
    queue.add(lent, 0);
    lent.fill(0);
    expect(readable(queue.take())).toBe('abc');
  });

  test('takes one message more when its limit is reached, none when it is passed', () => {
    const queue = new OutboundQueue(4);
    expect(queue.add(wire('abcd'), 0)).toBe(true);
    expect(queue.add(wire('efgh'), 0)).toBe(true);
    expect(queue.add(wire('i'), 0)).toBe(false);
    expect(queue.bytes).toBe(8);
    expect(readable(queue.take())).toBe('abcdefgh');
    expect(queue.add(wire('i'), 0)).toBe(true);
  });

  test('counts what waits for the same client elsewhere', () => {
    const queue = new OutboundQueue(4);
    expect(queue.add(wire('a'), 4)).toBe(true);
    expect(queue.add(wire('b'), 4)).toBe(false);
  });

  test('is empty when cleared', () => {
    const queue = new OutboundQueue(4);
    queue.add(wire('abcdefgh'), 0);
    queue.clear();
    expect(queue.bytes).toBe(0);
    expect(queue.take()).toHaveLength(0);
  });
});
