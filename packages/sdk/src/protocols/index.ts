import type { HubProtocolName } from '../options.ts';
import type { HubProtocol } from './hub-protocol.ts';
import { JsonProtocol } from './json.ts';
import { MessagePackProtocol } from './messagepack.ts';

export type * from './hub-protocol.ts';

/** In the order in which payloads of several protocols are written. */
const PLAIN: readonly HubProtocol[] = [new JsonProtocol(false), new MessagePackProtocol(false)];
/** The same, with BigInts for integers beyond 2^53. */
const WITH_BIG_INT: readonly HubProtocol[] = [
  new JsonProtocol(true),
  new MessagePackProtocol(true),
];

/** The protocols of these names, in our own order. */
export function protocolsNamed(
  names: Iterable<HubProtocolName>,
  useBigInt = false,
): readonly HubProtocol[] {
  const wanted = new Set(names);
  return (useBigInt ? WITH_BIG_INT : PLAIN).filter(({ name }) => wanted.has(name));
}

/** The protocol of this name, ignoring case as ASP.NET does. */
export function findProtocol(name: string, useBigInt = false): HubProtocol | undefined {
  const lower = name.toLowerCase();
  return (useBigInt ? WITH_BIG_INT : PLAIN).find((protocol) => protocol.name === lower);
}
