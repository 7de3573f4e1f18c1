import type { GroupMemberQuery } from '@trunkline/protocol';
import type { Listing } from '../listing.ts';

/** Members in one answer, whatever is asked for; the SDK asks on until it has all. */
const PAGE_MAX = 1000;

/** What an app server asks for that lists a group (section 18.5). */
export function groupListing(query: GroupMemberQuery): Listing {
  const { group, top = PAGE_MAX, maxPageSize = PAGE_MAX, continuationToken: token } = query;
  const size = Math.min(top, maxPageSize, PAGE_MAX);
  return { scope: { kind: 'group', name: group }, size, token };
}
