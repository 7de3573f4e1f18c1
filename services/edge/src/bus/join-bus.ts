import type { JoinBus } from '../ports/bus.ts';
import type { BusAddress } from './bus-address.ts';
import type { BusMembership } from './engine-bus.ts';
import { MemoryBroker } from './memory-bus.ts';

/** What joins an edge, as its settings say. A client library is loaded only where it is needed. */
export async function joinBusAt(address: BusAddress, membership: BusMembership): Promise<JoinBus> {
  switch (address.kind) {
    case 'memory':
      membership.stats.isUp = true;
      return (listener) => new MemoryBroker(membership.time).join(membership.edgeId, listener);
    case 'nats':
      return (await import('./nats-bus.ts')).joinNats(address, membership);
    case 'redis':
      return (await import('./redis-bus.ts')).joinRedis(address, membership);
  }
}
