import type { Payloads } from '@trunkline/protocol';
import type { ClientContext } from './client/client-context.ts';
import { HeldSend } from './client/opening-queue.ts';
import { CLIENT_CLOSE_REASONS } from './close-reason.ts';
import type { Recipient } from './recipient.ts';

type DeliveryContext = Pick<ClientContext, 'counters' | 'intake' | 'outbox' | 'unsettled'>;

/**
 * Gives each member the payload of its hub protocol. A member whose queue is over its limit is closed
 * when it is written to, after the loop over the members, so that the list does not change under it.
 */
export function deliver(
  members: readonly Recipient[],
  payloads: Payloads,
  context: DeliveryContext,
): void {
  context.counters.fanoutRecipients.observe(members.length);
  if (members.length > 0) context.outbox.fanOut(() => giveEach(members, payloads, context));
}

/**
 * In one loop: the payload is looked up where a member speaks another protocol than the one before
 * it. For a member whose handshake response is not out it is held, in one copy for all of those.
 */
function giveEach(
  members: readonly Recipient[],
  payloads: Payloads,
  { counters, intake, unsettled }: DeliveryContext,
): void {
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
    else member.send(payload, 1);
  }
  const full = waiting?.hold();
  if (full === undefined) return;
  for (const member of full) member.close(CLIENT_CLOSE_REASONS.slowClient);
  intake.openingClients.settle(unsettled, ({ heldPart }) => heldPart);
}

/** Hub protocol names compare ignoring case (service protocol reference, section 5.2). */
export function payloadFor(payloads: Payloads, protocol: string): Uint8Array | undefined {
  const exact = payloads.get(protocol);
  if (exact !== undefined) return exact;
  const lower = protocol.toLowerCase();
  // By `get`, which gives the same object each time: those who have it share a copy.
  for (const [name] of payloads) if (name.toLowerCase() === lower) return payloads.get(name);
  return undefined;
}
