import type { Payloads } from '@trunkline/protocol';
import type { ClientSession } from './client/client-session.ts';
import { CLIENT_CLOSE_REASONS } from './close-reason.ts';
import type { EdgeContext } from './edge-context.ts';

/**
 * Gives each member the payload of its hub protocol: looked up once per protocol, then one loop
 * over the members. A member whose queue is over its limit is closed after the loop, so that
 * nobody else notices and the list does not change under it.
 */
export function deliver(
  members: readonly ClientSession[],
  payloads: Payloads,
  directed: boolean,
  context: EdgeContext,
): void {
  const { counters } = context;
  const started = performance.now();
  let slow: ClientSession[] | undefined;
  let protocol: string | undefined;
  let payload: Uint8Array | undefined;
  for (const member of members) {
    if (!member.ready && !directed) {
      counters.skippedNotReady++;
      continue;
    }
    if (protocol === undefined || member.protocolName !== protocol) {
      protocol = member.protocolName;
      payload = protocol === undefined ? undefined : payloadFor(payloads, protocol);
    }
    if (payload === undefined) counters.skippedNoPayload++;
    else if (!(member.ready ? member.send(payload, 1) : member.hold(payload))) {
      (slow ??= []).push(member);
    }
  }
  counters.fanoutRecipients.observe(members.length);
  counters.fanoutSeconds.observe((performance.now() - started) / 1000);
  for (const member of slow ?? []) member.close(CLIENT_CLOSE_REASONS.slowClient);
}

/** Hub protocol names compare ignoring case (service protocol reference, section 5.2). */
function payloadFor(payloads: Payloads, protocol: string): Uint8Array | undefined {
  const exact = payloads.get(protocol);
  if (exact !== undefined) return exact;
  const lower = protocol.toLowerCase();
  for (const [name, payload] of payloads) if (name.toLowerCase() === lower) return payload;
  return undefined;
}
