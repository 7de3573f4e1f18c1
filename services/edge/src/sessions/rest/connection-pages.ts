import type { ListedMember } from '@trunkline/protocol';
import { decodeGroupPage, encodeServiceBody } from '@trunkline/protocol';
import type { Asker } from '../../model/asker.ts';
import type { CoreContext } from '../core-context.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import type { Listing } from '../listing.ts';
import { listConnections } from '../listing.ts';
import { connectionsQuery } from '../presence-messages.ts';

/** The most that a page has, and what it has where nobody says. */
export const PAGE_MAX = 200;

export interface ConnectionPage {
  readonly members: readonly ListedMember[];
  /** Of the next page; undefined after the last. */
  readonly next: string | undefined;
}

/**
 * Fills a page: the listing goes from edge to edge, and over an edge in parts, so that one of its parts
 * may have few members, or none. A turn of the event loop is between two of them. `isOver`: nobody
 * waits for it any more. `fail` is told what an edge answers in place of a part.
 */
export function collectPage(
  wanted: Listing,
  hub: HubRuntime,
  context: CoreContext,
  isOver: () => boolean,
  done: (page: ConnectionPage) => void,
  fail: Asker['settle'],
): void {
  const members: ListedMember[] = [];
  const ask = (token: string | undefined): void => {
    const listing = { ...wanted, size: wanted.size - members.length, token };
    const settle: Asker['settle'] = (answer) => {
      if (answer.payload === undefined) return fail(answer);
      const page = decodeGroupPage(answer.payload);
      members.push(...page.members);
      if (page.next === undefined || members.length >= wanted.size) {
        return done({ members, next: page.next });
      }
      const { next } = page;
      context.time.endOfTurn(() => {
        if (!isOver()) ask(next);
      });
    };
    const body = encodeServiceBody(connectionsQuery(listing));
    listConnections(listing, body, hub, { settle }, context);
  };
  ask(wanted.token);
}
