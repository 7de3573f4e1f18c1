import type { ListedMember } from '@trunkline/protocol';
import { decodeGroupPage, MessageType, encodeServiceBody } from '@trunkline/protocol';
import type { Asker } from '../../model/asker.ts';
import type { CoreContext } from '../core-context.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import { listGroup } from '../server/group-members.ts';

/** The most that a page has, and what it has where nobody says. */
export const PAGE_MAX = 200;

export interface GroupPage {
  readonly members: readonly ListedMember[];
  /** Of the next page; undefined after the last. */
  readonly next: string | undefined;
}

interface Wanted {
  readonly group: string;
  readonly size: number;
  readonly continuationToken: string | undefined;
}

/**
 * Fills a page: the listing goes from edge to edge, and over an edge in parts, so that one of its parts
 * may have few members, or none. A turn of the event loop is between two of them. `isOver`: nobody
 * waits for it any more. `fail` is told what an edge answers in place of a part.
 */
export function collectPage(
  wanted: Wanted,
  hub: HubRuntime,
  context: CoreContext,
  isOver: () => boolean,
  done: (page: GroupPage) => void,
  fail: Asker['settle'],
): void {
  const { group, size } = wanted;
  const members: ListedMember[] = [];
  const ask = (continuationToken: string | undefined): void => {
    const maxPageSize = size - members.length;
    const query = { type: MessageType.GroupMemberQuery, ackId: 0, group, top: undefined } as const;
    const message = { ...query, continuationToken, maxPageSize };
    const settle: Asker['settle'] = (answer) => {
      if (answer.payload === undefined) return fail(answer);
      const page = decodeGroupPage(answer.payload);
      members.push(...page.members);
      if (page.next === undefined || members.length >= size) {
        return done({ members, next: page.next });
      }
      const { next } = page;
      context.time.endOfTurn(() => {
        if (!isOver()) ask(next);
      });
    };
    listGroup(message, encodeServiceBody(message), hub, { settle }, context);
  };
  ask(wanted.continuationToken);
}
