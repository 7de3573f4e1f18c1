import type { Payloads } from '@trunkline/protocol';
import type { ClientContext } from './client/client-context.ts';
import { HeldSend } from './client/opening-queue.ts';
import { CLIENT_CLOSE_REASONS } from './close-reason.ts';
import type { Recipient } from './recipient.ts';

/**
 * Gives each member the payload of its hub protocol, in one loop: it is looked up where a member
 * speaks another protocol than the one before it. A member whose queue is over its limit is closed
 * after the loop, so that nobody else notices and the list does not change under it. For one whose
 * handshake response is not out the payload is held, in one copy for all of those.
 */
export function deliver(
  members: readonly Recipient[],
  payloads: Payloads,
  context: Pick<ClientContext, 'counters' | 'intake' | 'unsettled'>,
): void {
  const { counters } = context;
  const started = performance.now();
  let slow: Recipient[] | undefined;
  let protocol: string | undefined;
  let payload: Uint8Array | undefined;
  let waiting: HeldSend<Recipient> | undefined;
  for (const member of members) {
    const { ready } = member;
    if (!ready && !member.holds) {
      counters.skippedNotReady++;
      continue;
    }
    if (protocol === undefined || member.protocolName !== protocol) {
      protocol = member.protocolName;
      payload = protocol === undefined ? undefined : payloadFor(payloads, protocol);
    }
    if (payload === undefined) counters.skippedNoPayload++;
    else if (!ready) (waiting ??= new HeldSend()).add(member, payload);
    else if (!member.send(payload, 1)) (slow ??= []).push(member);
  }
  const full = waiting?.hold();
  counters.fanoutRecipients.observe(members.length);
  counters.fanoutSeconds.observe((performance.now() - started) / 1000);
  for (const member of slow ?? []) member.close(CLIENT_CLOSE_REASONS.slowClient);
  if (full === undefined) return;
  for (const member of full) member.close(CLIENT_CLOSE_REASONS.slowClient);
  context.intake.openingClients.settle(context.unsettled, ({ heldPart }) => heldPart);
}

/** Hub protocol names compare ignoring case (service protocol reference, section 5.2). */
function payloadFor(payloads: Payloads, protocol: string): Uint8Array | undefined {
  const exact = payloads.get(protocol);
  if (exact !== undefined) return exact;
  const lower = protocol.toLowerCase();
  for (const [name, payload] of payloads) if (name.toLowerCase() === lower) return payload;
  return undefined;
}
