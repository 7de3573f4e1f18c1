import { AckStatus, MessageType, NEVER, timestampOf } from '@trunkline/protocol';
import { claimSet, mintedPayload } from '@trunkline/tokens';

import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Line } from '../endpoints/line.ts';
import type { ServiceRequests } from './service-requests.ts';

/** A new sign-in of a client that stays connected. */
export interface SignIn {
  /** Of the client's negotiate with the service. */
  readonly connectionToken: string;
  /** The access token that the client goes on with, where it is connected to that endpoint. */
  readonly tokenFor: (endpoint: Endpoint) => string;
  /** When it ends; undefined: as the one before. */
  readonly expiresAt: Date | undefined;
}

/** The new access token; or that no service has the connection, or that it is another user's. */
export type RefreshOutcome =
  | { readonly accessToken: string }
  | { readonly refused: 'connection_not_found' | 'permission_change_rejected' };

/**
 * Gives a connection the claims of a new sign-in, at whichever endpoint it is (service protocol
 * reference, section 18.6). Rejects with TrunklineError, and TokenTooLongError.
 */
export async function refreshAuth(
  requests: ServiceRequests,
  signIn: SignIn,
): Promise<RefreshOutcome> {
  const lines = requests.linesAbout({ kind: 'all' });
  const outcomes = await Promise.allSettled(lines.map((line) => askAt(requests, line, signIn)));
  const answers = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const done = answers.find(({ ack }) => ack.status === AckStatus.Ok);
  if (done !== undefined) return { accessToken: done.accessToken };
  if (answers.some(({ ack }) => ack.status === AckStatus.Forbidden)) {
    return { refused: 'permission_change_rejected' };
  }
  const failure = outcomes.find((one) => one.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  return { refused: 'connection_not_found' };
}

async function askAt(requests: ServiceRequests, line: Line, signIn: SignIn) {
  const { connectionToken, tokenFor, expiresAt } = signIn;
  const accessToken = tokenFor(line.endpoint);
  const type = MessageType.RefreshAuth;
  const expireTime = expiresAt === undefined ? NEVER : timestampOf(expiresAt.getTime());
  const claims = claimSet(mintedPayload(accessToken));
  const message = { type, connectionToken, claims, expireTime };
  const ack = await requests.at(line, connectionToken, {
    message,
    what: 'refreshing the sign-in',
  });
  return { accessToken, ack };
}
