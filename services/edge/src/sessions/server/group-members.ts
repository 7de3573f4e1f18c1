import type { GroupMemberQuery } from '@trunkline/protocol';
import { AckStatus, ByteWriter, MessageType } from '@trunkline/protocol';
import type { ServerSession } from './server-session.ts';

/** Members in one answer, whatever is asked for; the SDK asks on until it has all. */
const PAGE_MAX = 1000;

/** Who is in a group, page by page in the order of connection ids (section 18.5). */
export function answerGroupMembers(query: GroupMemberQuery, server: ServerSession): void {
  const { group, top = PAGE_MAX, maxPageSize = PAGE_MAX, ackId } = query;
  const { continuationToken: after = '' } = query;
  const members = [...server.hub.model.membersOf(group)]
    .filter(({ id }) => id > after)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const page = members.slice(0, Math.min(Math.max(Math.min(top, maxPageSize), 1), PAGE_MAX));
  const writer = new ByteWriter(64 + 64 * page.length);
  writer.arrayHeader(2);
  writer.arrayHeader(page.length);
  for (const { id, userId } of page) {
    writer.arrayHeader(2);
    writer.text(id);
    if (userId === undefined) writer.nil();
    else writer.text(userId);
  }
  const last = page.at(-1);
  if (last === undefined || page.length === members.length) writer.nil();
  else writer.text(last.id);
  const payload = new Uint8Array(writer.view());
  server.write({ type: MessageType.Ack, ackId, status: AckStatus.Ok, message: '', payload });
}
