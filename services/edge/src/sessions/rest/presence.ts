import type { Scope } from '../../model/scope.ts';
import { countConnections } from '../counting.ts';
import { listScope } from './list-connections.ts';
import type { OperationId } from './operations.ts';
import { nameOf } from './parameters.ts';
import type { Perform } from './perform.ts';
import type { RestCall } from './rest-call.ts';
import { unanswered } from './rest-error.ts';

const hubScope = (): Scope => ({ kind: 'hub' });
const groupScope = ({ names }: RestCall): Scope => ({
  kind: 'group',
  name: nameOf(names, 'group'),
});
const userScope = ({ names }: RestCall): Scope => ({ kind: 'user', name: nameOf(names, 'user') });

const count =
  (scopeOf: (call: RestCall) => Scope): Perform =>
  (call, hub, _body, { edge }) =>
    countConnections(
      scopeOf(call),
      hub,
      edge,
      (counted) => call.succeedWith(JSON.stringify(counted)),
      (answer) => call.fail(unanswered(answer)),
    );

const list =
  (scopeOf: (call: RestCall) => Scope): Perform =>
  (call, hub, _body, context) =>
    listScope(call, scopeOf(call), hub, context);

/** What can be asked about presence, which Azure SignalR Service does not tell. */
export const PRESENCE = {
  countHub: count(hubScope),
  countGroup: count(groupScope),
  countUser: count(userScope),
  listHub: list(hubScope),
  listGroup: list(groupScope),
  listUser: list(userScope),
} as const satisfies Partial<Record<OperationId, Perform>>;
