import type { MessageFromServer } from '@trunkline/protocol';
import { AckStatus, encodeServiceBody } from '@trunkline/protocol';
import type { Answer, Asker } from '../../model/asker.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import { carryOut } from '../server/carry-out.ts';
import { claims, refreshAuth } from './claims.ts';
import { execute } from './execute.ts';
import { generateToken } from './generate-token.ts';
import { invoke } from './invocation.ts';
import { listGroupConnections } from './list-connections.ts';
import type { OperationId } from './operations.ts';
import { nameOf } from './parameters.ts';
import { PRESENCE } from './presence.ts';
import type { RestCall } from './rest-call.ts';
import type { RestContext } from './rest-context.ts';
import { absent, unanswered, uncertain } from './rest-error.ts';
import type { ServiceOperationId } from './service-messages.ts';
import { SERVICE_MESSAGES } from './service-messages.ts';

/** What a call does, and by which hub; it answers the call, now or later. Throws RestError. */
export type Perform = (call: RestCall, hub: HubRuntime, body: Buffer, context: RestContext) => void;

type OtherId = Exclude<OperationId, ServiceOperationId | 'health' | 'accessKey'>;

/** Operations that no single service message says. */
const OTHERS: Readonly<Record<OtherId, Perform>> = {
  generateToken: (call, hub, _body, context) => generateToken(call, hub, context),
  // What is to be done here is done before others are asked: to do it again is for the caller to decide.
  execute: (call, hub, body) =>
    execute(call, hub, body, {
      settle: ({ status, message }) =>
        status === AckStatus.Ok ? call.succeed() : call.fail(uncertain(message)),
    }),
  invoke: (call, hub, body, context) =>
    invoke(call, hub, nameOf(call.names, 'connectionId'), body, context),
  listGroupConnections: (call, hub, _body, context) => listGroupConnections(call, hub, context),
  refreshAuth,
  getClaims: claims,
  ...PRESENCE,
};

export const perform: Perform = (call, hub, body, context) => {
  const { id } = call.route;
  if (id in OTHERS) return OTHERS[id as OtherId](call, hub, body, context);
  const made = SERVICE_MESSAGES[id as ServiceOperationId](call, body);
  const messages: readonly MessageFromServer[] = Array.isArray(made) ? made : [made];
  const [message] = messages;
  if ('ackId' in message!) return say(message, hub, askerOf(call), context);
  // Accepted for delivery, whether anybody is there or not (REST reference, section 1.7).
  for (const one of messages) say(one, hub, undefined, context);
  call.succeed();
};

function say(
  message: MessageFromServer,
  hub: HubRuntime,
  asker: Asker | undefined,
  context: RestContext,
): void {
  carryOut(message, encodeServiceBody(message), hub, asker, context.edge);
}

/** Answers a call with what comes of a command. */
function askerOf(call: RestCall): Asker {
  return { settle: (answer) => settle(call, answer) };
}

function settle(call: RestCall, answer: Answer): void {
  const { status } = answer;
  const { absent: code } = call.route;
  if (status === AckStatus.NotFound && code !== undefined) call.fail(absent(code));
  else if (status === AckStatus.Ok || status === AckStatus.NotFound) call.succeed();
  else call.fail(unanswered(answer));
}
