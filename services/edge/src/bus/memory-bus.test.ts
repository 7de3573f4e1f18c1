import { describe, expect, test } from 'vitest';
import { SYSTEM_TIME } from '../system-time.ts';
import { BusMember } from './bus-member.test-support.ts';
import { holdsToBusContract } from './bus-contract.test-support.ts';
import { MemoryBroker } from './memory-bus.ts';

describe('the embedded bus', () => {
  holdsToBusContract(async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    return {
      join: (edgeId) => (listener) => broker.join(edgeId, listener),
      stop: async () => undefined,
    };
  });

  test('does nothing for an edge that is alone', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const alone = new BusMember('alone', (listener) => broker.join('alone', listener));
    alone.bus.subscribe('s');
    const untouchable = new Proxy(new Uint8Array(1), {
      get: () => {
        throw new Error('looked at');
      },
    });
    alone.bus.publish('s', untouchable);
    let called = false;
    alone.bus.whenSubscribed(() => (called = true));
    expect(called).toBe(true);
    await new Promise((resolve) => void setImmediate(resolve));
    expect(alone.heard).toEqual(['up']);
  });
});
