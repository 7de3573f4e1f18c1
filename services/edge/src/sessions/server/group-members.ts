import type { GroupMemberQuery } from '@trunkline/protocol';
import { AckStatus, encodeGroupPage, MessageType } from '@trunkline/protocol';
import type { ConnectionTable } from '../../model/connection-table.ts';
import type { HubClient } from '../hub-client.ts';
import type { ServerSession } from './server-session.ts';

/** Members in one answer, whatever is asked for; the SDK asks on until it has all. */
const PAGE_MAX = 1000;
/** Slots looked at for one answer; above it a page is short, or even empty, and another one follows. */
const SLOTS_MAX = 50_000;

interface Page {
  readonly members: Iterable<HubClient>;
  readonly length: number;
  /** Where the next page goes on; undefined after the last. */
  readonly next: number | undefined;
}

/**
 * Who is in a group (section 18.5). What fits into one page is one page. More comes in the order of
 * the slots that the clients have in the edge's table, and a continuation token is the next slot:
 * nothing is sorted, nothing is kept between two pages, and they may be asked for on any server
 * connection, or twice. A client keeps its slot as long as it lives, so who is in the group all the
 * while is listed once; who comes or goes meanwhile is listed once or not at all.
 */
export function answerGroupMembers(
  query: GroupMemberQuery,
  server: ServerSession,
  clients: ConnectionTable<HubClient>,
): void {
  const { group, top = PAGE_MAX, maxPageSize = PAGE_MAX, continuationToken, ackId } = query;
  const most = Math.max(1, Math.min(top, maxPageSize, PAGE_MAX));
  const from = continuationToken === undefined ? 0 : Number(continuationToken);
  if (!Number.isSafeInteger(from) || from < 0) {
    const message = 'This continuation token is none of this service.';
    server.write({ type: MessageType.Ack, ackId, status: AckStatus.InternalServerError, message });
    return;
  }
  const members = server.hub.model.membersOf(group);
  const whole = continuationToken === undefined && members.size <= most;
  const page: Page = whole
    ? { members, length: members.size, next: undefined }
    : pageFrom(from, most, members, clients);
  server.write({
    type: MessageType.Ack,
    ackId,
    status: AckStatus.Ok,
    message: '',
    payload: encodeGroupPage(page.members, page.length, page.next?.toString()),
  });
}

function pageFrom(
  from: number,
  most: number,
  members: ReadonlySet<HubClient>,
  clients: ConnectionTable<HubClient>,
): Page {
  const page: HubClient[] = [];
  const end = Math.min(clients.slots, from + SLOTS_MAX);
  let slot = from;
  for (; slot < end && page.length < most; slot++) {
    const client = clients.at(slot);
    if (client !== undefined && members.has(client)) page.push(client);
  }
  const next = slot < clients.slots ? slot : undefined;
  return { members: page, length: page.length, next };
}
