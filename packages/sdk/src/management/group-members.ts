import { checkOptions } from '../option-tables/check.ts';
import { LIST_OPTIONS } from '../option-tables/tables.ts';
import type { GroupMember, GroupPage, ListOptions, PageOptions } from './hub-manager.ts';

/** From here on a page is as large as the service likes. */
const MOST = 1_000_000;

/**
 * The connections of a group, asked for page by page as they are read, with a page no larger than
 * what is left to read. Who joins or leaves meanwhile may be listed or not; nobody is listed twice.
 */
export async function* groupMembers(
  askFor: (options: PageOptions) => Promise<GroupPage>,
  options: ListOptions,
): AsyncGenerator<GroupMember> {
  checkOptions('groups.connections', LIST_OPTIONS, options);
  let left = options.top ?? Infinity;
  let continuationToken: string | undefined;
  while (left > 0) {
    const size = left < MOST ? { size: left } : {};
    const page = await askFor({ ...size, continuationToken });
    yield* page.members.slice(0, left);
    left -= page.members.length;
    ({ continuationToken } = page);
    if (continuationToken === undefined) return;
  }
}
