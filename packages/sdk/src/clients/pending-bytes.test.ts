import { Budget } from '@trunkline/protocol';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { ItemQueue } from '../item-queue.ts';
import type { Tally } from '../item-queue.ts';
import { hubSettings } from '../options.ts';
import type { ClientConnection } from './client-connection.ts';
import { FREE_FOR_CALLS, PendingBytes } from './pending-bytes.ts';

const SHARE = 1000;
const QUEUES = 3;

function pendingOf(budget: Budget<ClientConnection>): PendingBytes {
  const route = { settings: hubSettings({}, { maximumPendingBytes: SHARE }) };
  return new PendingBytes({ host: { pending: budget }, route } as unknown as ClientConnection);
}

function budgetOf(total: number): Budget<ClientConnection> {
  return new Budget({ total, share: Infinity }, { evict: () => {}, refused: () => {} });
}

interface Upload {
  readonly queue: ItemQueue;
  /** What is to be in it: bytes of its items, and reads that wait. */
  unread: number[];
  reads: number;
  ended: boolean;
}

const sum = (uploads: readonly Upload[]): number =>
  uploads.flatMap(({ unread }) => unread).reduce((total, bytes) => total + bytes, 0);

const actions: Record<string, (upload: Upload, bytes: number, left: number) => void> = {
  push(upload, bytes, left) {
    const waits = upload.reads === 0 && !upload.ended;
    const push = () => upload.queue.push(bytes);
    if (waits && bytes > left) {
      expect(push).toThrow(`More than ${SHARE}B are waiting for a hub method.`);
      return;
    }
    void push();
    if (waits) upload.unread.push(bytes);
    else if (!upload.ended) upload.reads--;
  },
  read(upload) {
    void upload.queue.next().catch(() => {});
    if (upload.unread.length > 0) upload.unread.shift();
    else if (!upload.ended) upload.reads++;
  },
  end(upload) {
    upload.queue.end(new Error('torn'));
    Object.assign(upload, { ended: true, reads: 0 });
  },
  close(upload) {
    upload.queue.close();
    Object.assign(upload, { ended: true, reads: 0, unread: [] });
  },
};

const action = fc.record({
  name: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('push', 'read') },
    { weight: 1, arbitrary: fc.constantFrom('end', 'close') },
  ),
  at: fc.nat(QUEUES - 1),
  bytes: fc.integer({ min: 1, max: SHARE }),
});

test('what counts is what is unread, whatever becomes of it', () => {
  fc.assert(
    fc.property(fc.array(action), fc.array(action), (before, after) => {
      const budget = budgetOf(Infinity);
      const pending = pendingOf(budget);
      const tally: Tally = {
        take(item) {
          pending.take(item as number);
          return item as number;
        },
        give: (bytes) => pending.give(bytes),
      };
      const uploads = Array.from({ length: QUEUES }, (): Upload => {
        return { queue: new ItemQueue(5, tally), unread: [], reads: 0, ended: false };
      });
      for (const { name, at, bytes } of before) {
        actions[name]!(uploads[at]!, bytes, SHARE - pending.waiting);
        expect([pending.waiting, budget.used]).toEqual([sum(uploads), sum(uploads)]);
      }
      // The client goes; what is still done with its uploads counts for nothing.
      pending.close();
      for (const { queue } of uploads) queue.close();
      for (const { name, at, bytes } of after) {
        if (name === 'push') void uploads[at]!.queue.push(bytes);
        else void uploads[at]!.queue.next().catch(() => {});
      }
      expect([budget.used, budget.owners]).toEqual([0, 0]);
    }),
  );
});

test('what is in hand counts for all clients, and not against what one may have waiting', () => {
  const budget = budgetOf(3000);
  const pending = pendingOf(budget);
  expect(pending.hold(2000)).toBe(true);
  pending.take(1000);
  expect(pending.hold(1)).toBe(false);
  pending.letGo(2000);
  pending.give(1000);
  expect([pending.waiting, budget.used]).toEqual([0, 0]);
});

test('what calls were called with counts from a page on, until the last of it has ended', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3000 })), (calls) => {
      const budget = budgetOf(Infinity);
      const pending = pendingOf(budget);
      let all = 0;
      const counted = () => Math.max(0, all - FREE_FOR_CALLS);
      for (const bytes of calls) {
        expect(pending.run(bytes)).toBe(true);
        all += bytes;
        expect(budget.used).toBe(counted());
      }
      for (const bytes of calls) {
        pending.ran(bytes);
        all -= bytes;
        expect(budget.used).toBe(counted());
      }
      expect([budget.used, budget.owners]).toEqual([0, 0]);
    }),
  );
});
