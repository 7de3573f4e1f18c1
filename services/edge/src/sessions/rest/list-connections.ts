import type { Scope } from '../../model/scope.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import { isPageToken } from '../listing.ts';
import type { ConnectionPage } from './connection-pages.ts';
import { collectPage, PAGE_MAX } from './connection-pages.ts';
import { nameOf, numberOf, textOf } from './parameters.ts';
import type { RestCall } from './rest-call.ts';
import type { RestContext } from './rest-context.ts';
import { invalid, unanswered } from './rest-error.ts';

/** One page of a group's connections, and where to ask for the next (REST reference, section 1.5). */
export function listGroupConnections(call: RestCall, hub: HubRuntime, context: RestContext): void {
  const { request } = call;
  const scope: Scope = { kind: 'group', name: nameOf(call.names, 'group') };
  const top = numberOf(request, 'top', 0);
  const size = sizeOf(call, 'maxpagesize');
  const token = tokenOf(call, 'continuationToken', 'continuation token');
  if (top === 0) return call.succeedWith('{"value":[]}');
  collectPage(
    { scope, size: Math.min(size, top ?? PAGE_MAX), token },
    hub,
    context.edge,
    () => !call.isOpen,
    ({ members, next }) => {
      const left = top === undefined ? undefined : top - members.length;
      const isLast = next === undefined || left === 0;
      const changed = { ...(left !== undefined && { top: left }), continuationToken: next ?? '' };
      const link = isLast ? {} : { nextLink: linkTo(call, changed, context) };
      call.succeedWith(JSON.stringify({ value: members, ...link }));
    },
    (answer) => call.fail(unanswered(answer)),
  );
}

/** One page of the connections of a hub, a group or a user: of our own, so its parameters are, too. */
export function listScope(
  call: RestCall,
  scope: Scope,
  hub: HubRuntime,
  context: RestContext,
): void {
  collectPage(
    { scope, size: sizeOf(call, 'top'), token: tokenOf(call, 'cursor', 'cursor') },
    hub,
    context.edge,
    () => !call.isOpen,
    (page) => call.succeedWith(JSON.stringify(scopePage(page, call, context))),
    (answer) => call.fail(unanswered(answer)),
  );
}

function scopePage({ members, next }: ConnectionPage, call: RestCall, context: RestContext) {
  if (next === undefined) return { value: members };
  return { value: members, cursor: next, nextLink: linkTo(call, { cursor: next }, context) };
}

function sizeOf({ request }: RestCall, name: string): number {
  const size = numberOf(request, name, 1) ?? PAGE_MAX;
  if (size > PAGE_MAX) throw invalid(`Invalid value of '${name}': it is ${PAGE_MAX} at most.`);
  return size;
}

function tokenOf({ request }: RestCall, name: string, what: string): string | undefined {
  const token = textOf(request, name) || undefined;
  if (token === undefined || isPageToken(token)) return token;
  throw invalid(`This ${what} is none of this service.`);
}

/** The address of the next page: what is changed stands at the end, everything else as it was written. */
function linkTo(
  { request }: RestCall,
  changed: Readonly<Record<string, string | number>>,
  { publicUrl }: RestContext,
): string {
  const names = new Set(Object.keys(changed).map((name) => name.toLowerCase()));
  const nameIn = (pair: string): string => pair.split('=', 1)[0]!.toLowerCase();
  const kept = request.query.split('&').filter((pair) => pair !== '' && !names.has(nameIn(pair)));
  const pairs = Object.entries(changed).map(
    ([name, value]) => `${name}=${encodeURIComponent(value)}`,
  );
  return `${publicUrl.of(request)}${request.path}?${[...kept, ...pairs].join('&')}`;
}
