import type { HubProtocolName } from '../options.ts';
import type { HubProtocol } from './hub-protocol.ts';
import { jsonProtocol } from './json.ts';
import { messagePackProtocol } from './messagepack.ts';

export type * from './hub-protocol.ts';

/** In the order in which payloads of several protocols are written. */
const PROTOCOLS: readonly HubProtocol[] = [jsonProtocol, messagePackProtocol];

/** The protocols of these names, in our own order. */
export function protocolsNamed(names: Iterable<HubProtocolName>): readonly HubProtocol[] {
  const wanted = new Set(names);
  return PROTOCOLS.filter(({ name }) => wanted.has(name));
}

/** The protocol of this name, ignoring case as ASP.NET does. */
export function findProtocol(name: string): HubProtocol | undefined {
  const lower = name.toLowerCase();
  return PROTOCOLS.find((protocol) => protocol.name === lower);
}
