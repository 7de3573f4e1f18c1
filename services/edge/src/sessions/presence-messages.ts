import type { ConnectionsQuery, CountQuery } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';
import type { Scope } from '../model/scope.ts';
import type { Listing } from './listing.ts';

// What edges ask each other about the connections of a hub, a group or a user. App servers have no
// message for that, but for the list of a group, so these are the edges' own.

export function connectionsQuery({ scope, size, token }: Listing): ConnectionsQuery {
  const type = MessageType.ConnectionsQuery;
  return { type, ...namesOf(scope), continuationToken: token, maxPageSize: size };
}

export function listingOf(query: ConnectionsQuery): Listing {
  const { maxPageSize: size, continuationToken: token } = query;
  return { scope: scopeOf(query), size, token };
}

export function countQuery(scope: Scope): CountQuery {
  return { type: MessageType.CountQuery, ...namesOf(scope) };
}

export function scopeOf({ group, userId }: Pick<CountQuery, 'group' | 'userId'>): Scope {
  if (group !== undefined) return { kind: 'group', name: group };
  return userId === undefined ? { kind: 'hub' } : { kind: 'user', name: userId };
}

function namesOf(scope: Scope): Pick<CountQuery, 'group' | 'userId'> {
  return {
    group: scope.kind === 'group' ? scope.name : undefined,
    userId: scope.kind === 'user' ? scope.name : undefined,
  };
}
