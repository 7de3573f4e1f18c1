import type { JoinBus } from '../ports/bus.ts';
import type { BusAddress } from './bus-address.ts';
import type { BusMembership, ConnectEngine } from './engine-bus.ts';
import { EngineBus } from './engine-bus.ts';
import { MemoryBroker } from './memory-bus.ts';

/** What joins an edge, as its settings say. A client library is loaded only where it is needed. */
export async function joinBusAt(address: BusAddress, membership: BusMembership): Promise<JoinBus> {
  const { edgeId, stats, time } = membership;
  if (address.kind === 'memory') {
    stats.isUp = true;
    return (listener) => new MemoryBroker(time).join(edgeId, listener);
  }
  const connect = await engineAt(address, edgeId);
  return (listener) => new EngineBus(membership, address.shown, listener, connect);
}

async function engineAt(
  address: Exclude<BusAddress, { kind: 'memory' }>,
  edgeId: string,
): Promise<ConnectEngine> {
  if (address.kind === 'nats') {
    const { NatsEngine } = await import('./nats-bus.ts');
    return (names, events) => new NatsEngine(address, edgeId, names, events);
  }
  const { RedisEngine } = await import('./redis-bus.ts');
  return (_names, events) => new RedisEngine(address, edgeId, events);
}
