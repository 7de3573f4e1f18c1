import type { Claims, Timestamp } from '@trunkline/protocol';
import {
  AckStatus,
  decodeClaims,
  isNever,
  jsonMembers,
  MessageType,
  NEVER,
  timestampOf,
  encodeServiceBody,
} from '@trunkline/protocol';
import type { Asker } from '../../model/asker.ts';
import { TOO_MANY } from '../../model/asker.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import { carryOut } from '../server/carry-out.ts';
import { jsonText } from './message-body.ts';
import type { RestCall } from './rest-call.ts';
import type { RestContext } from './rest-context.ts';
import { absent, invalid, RestError, unavailable, uncertain } from './rest-error.ts';

// A new sign-in of a client that stays connected (REST reference, section 1.5). The names of the
// members were still moving when they were written down there, so all of them are here.

type Members = ReadonlyMap<string, unknown>;

/** `{connectionToken, expireTime?, claims?}`: new claims, and when the sign-in ends. */
export function refreshAuth(
  call: RestCall,
  hub: HubRuntime,
  body: Buffer,
  context: RestContext,
): void {
  const members = membersOf(body);
  const message = {
    type: MessageType.RefreshAuth,
    connectionToken: connectionTokenOf(members),
    claims: claimsOf(members.get('claims')),
    expireTime: timeOf(members.get('expiretime')),
    ackId: 0,
  } as const;
  carryOut(message, encodeServiceBody(message), hub, askerOf(call), context.edge);
}

/** `{connectionToken}`. */
export function claims(call: RestCall, hub: HubRuntime, body: Buffer, context: RestContext): void {
  const connectionToken = connectionTokenOf(membersOf(body));
  const message = { type: MessageType.GetConnectionClaims, connectionToken, ackId: 0 } as const;
  carryOut(message, encodeServiceBody(message), hub, askerOf(call), context.edge);
}

function askerOf(call: RestCall): Asker {
  return {
    settle: ({ status, message, payload }) => {
      if (status === AckStatus.Ok) {
        const all = decodeClaims(payload).map(([type, value]) => ({ type, value }));
        call.succeedWith(JSON.stringify({ claims: all }));
      } else if (status === AckStatus.NotFound) call.fail(absent(call.route.absent!));
      else if (status === AckStatus.Forbidden) call.fail(otherUser());
      else if (status === AckStatus.Timeout) call.fail(uncertain(message));
      else if (message === TOO_MANY.message) call.fail(unavailable(message));
      else call.fail(invalid(message));
    },
  };
}

function otherUser(): RestError {
  return new RestError(403, 'ConnectionUserMismatch', 'The claims are of another user.');
}

function membersOf(body: Buffer): Members {
  const members = jsonMembers(jsonText(body));
  if (members === undefined) throw invalid('The body is a JSON object.');
  const values = [...members].map(([name, json]) => {
    return [name, JSON.parse(json.toString()) as unknown] as const;
  });
  return new Map(values);
}

function connectionTokenOf(members: Members): string {
  const token = members.get('connectiontoken');
  if (typeof token === 'string' && token !== '') return token;
  throw invalid("'connectionToken' is required.");
}

/** None: the connection keeps those that it has. */
function claimsOf(value: unknown): Claims {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid("'claims' is an array of {type, value}.");
  return value.map((claim: unknown) => {
    const { type, value: text } = (claim ?? {}) as { type?: unknown; value?: unknown };
    if (typeof type === 'string' && typeof text === 'string') return [type, text] as const;
    throw invalid("'claims' is an array of {type, value}.");
  });
}

/** None, and the latest time that .NET has: the sign-in ends when it did before. */
function timeOf(value: unknown): Timestamp {
  if (value === undefined || value === null) return NEVER;
  const milliseconds = typeof value === 'string' ? Date.parse(value) : NaN;
  if (Number.isNaN(milliseconds))
    throw invalid("'expireTime' is a time such as 2026-07-01T12:00:00Z.");
  const time = timestampOf(milliseconds);
  return isNever(time) ? NEVER : time;
}
