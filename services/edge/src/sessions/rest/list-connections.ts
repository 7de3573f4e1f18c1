import { AckStatus } from '@trunkline/protocol';
import type { HubRuntime } from '../hub-runtime.ts';
import { isPageToken } from '../server/group-members.ts';
import type { GroupPage } from './group-pages.ts';
import { collectPage, PAGE_MAX } from './group-pages.ts';
import { nameOf, numberOf, textOf } from './parameters.ts';
import type { RestCall } from './rest-call.ts';
import type { RestContext } from './rest-context.ts';
import { invalid, uncertain, unavailable } from './rest-error.ts';

/** One page of a group's connections, and where to ask for the next (REST reference, section 1.5). */
export function listGroupConnections(call: RestCall, hub: HubRuntime, context: RestContext): void {
  const { request } = call;
  const group = nameOf(call.names, 'group');
  const top = numberOf(request, 'top', 0);
  const most = numberOf(request, 'maxpagesize', 1) ?? PAGE_MAX;
  if (most > PAGE_MAX) throw invalid(`Invalid value of 'maxpagesize': it is ${PAGE_MAX} at most.`);
  const continuationToken = textOf(request, 'continuationToken') || undefined;
  if (continuationToken !== undefined && !isPageToken(continuationToken)) {
    throw invalid('This continuation token is none of this service.');
  }
  if (top === 0) return call.succeedWith('{"value":[]}');
  const size = Math.min(most, top ?? PAGE_MAX);
  collectPage(
    { group, size, continuationToken },
    hub,
    context.edge,
    () => !call.isOpen,
    (page) => call.succeedWith(JSON.stringify(pageOf(page, call, top, context))),
    ({ status, message }) =>
      call.fail(status === AckStatus.Timeout ? uncertain(message) : unavailable(message)),
  );
}

function pageOf(
  { members, next }: GroupPage,
  { request }: RestCall,
  top: number | undefined,
  { publicUrl }: RestContext,
): { value: GroupPage['members']; nextLink?: string } {
  const left = top === undefined ? undefined : top - members.length;
  if (next === undefined || left === 0) return { value: members };
  const kept = request.query.split('&').filter((pair) => pair !== '' && !isReplaced(pair));
  if (left !== undefined) kept.push(`top=${left}`);
  kept.push(`continuationToken=${encodeURIComponent(next)}`);
  const nextLink = `${publicUrl.of(request)}${request.path}?${kept.join('&')}`;
  return { value: members, nextLink };
}

/** What the next call asks for differently; everything else stays as it was written. */
function isReplaced(pair: string): boolean {
  const name = pair.split('=', 1)[0]!.toLowerCase();
  return name === 'top' || name === 'continuationtoken';
}
