import type { Payloads } from '@trunkline/protocol';

import { HUB_PROTOCOLS } from '../hub/hub-handshake.ts';
import type { HubProtocol } from '../hub/messages.ts';

/** A hub invocation in every protocol of the hub, or in one (service protocol reference, 20.5). */
export function payloadsOf(
  target: string,
  values: readonly unknown[],
  only?: HubProtocol,
  invocationId?: string,
): Payloads {
  const id = invocationId === undefined ? {} : { invocationId };
  const message = { type: 1, ...id, target, arguments: values } as const;
  const protocols = only === undefined ? HUB_PROTOCOLS : [only];
  return new Map(protocols.map((protocol) => [protocol.name, protocol.encode(message)]));
}
