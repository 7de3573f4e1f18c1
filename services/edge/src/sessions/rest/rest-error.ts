import { AckStatus } from '@trunkline/protocol';
import type { Answer } from '../../model/asker.ts';
import type { HttpAnswer } from '../../ports/listener.ts';

/** Why a call is not answered as its caller wishes: a status, and what says why. */
export class RestError extends Error {
  override readonly name = 'RestError';
  readonly status: number;
  /** For programs: `x-ms-error-code` (REST reference, section 1.7). */
  readonly code: string;
  readonly headers: HttpAnswer['headers'];

  constructor(status: number, code: string, message: string, headers?: HttpAnswer['headers']) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** What the caller has sent is wrong. */
export function invalid(message: string): RestError {
  return new RestError(400, 'Error.Request.Invalid', message);
}

/** Nothing has been done, so that the caller may try again. */
export function unavailable(message: string): RestError {
  return new RestError(503, 'Error.Request.Unknown', message, { 'retry-after': '1' });
}

/** Nobody knows what has been done. */
export function uncertain(message: string): RestError {
  return new RestError(500, 'Error.Request.Unknown', message);
}

/** What was asked has no answer, or another one of the edges could not give its own. */
export function unanswered({ status, message }: Answer): RestError {
  return status === AckStatus.Timeout ? uncertain(message) : unavailable(message);
}

/** What the operation names is not there. */
export function absent(code: string): RestError {
  return new RestError(404, code, ABSENT[code] ?? 'It does not exist.');
}

const ABSENT: Readonly<Record<string, string>> = {
  'Warning.Connection.NotExisted': 'The connection does not exist.',
  'Error.Connection.NotExisted': 'The connection does not exist.',
  'Warning.User.NotExisted': 'The user has no connection.',
  'Warning.Group.NotExisted': 'The group has no connection.',
  'Info.User.NotInGroup': 'The user is not in the group.',
  ConnectionNotFound: 'No connection of this hub has this connection token.',
};
