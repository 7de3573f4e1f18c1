import type { GetConnectionClaims, RefreshAuth, Timestamp } from '@trunkline/protocol';
import { AckStatus, encodeClaims, isNever, MessageType } from '@trunkline/protocol';
import type { ClaimSet } from '@trunkline/tokens';
import { claimSet, forwardedClaims, payloadOf, readClientClaims } from '@trunkline/tokens';
import type { Answer } from '../../model/asker.ts';
import { answerOf, NOT_FOUND } from '../../model/asker.ts';
import { CONNECTION_ID_LENGTH } from '../../model/connection-id.ts';
import type { HubClient } from '../hub-client.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import { verifyConnectionToken } from '../connection-token.ts';
import {
  MAX_INTRODUCTION_LENGTH,
  introductionLength,
  replaceTokenPayload,
} from '../introduction.ts';
import { signInEnd } from '../sign-in.ts';
import type { ServerContext } from './server-context.ts';

// A new sign-in of a client that stays connected (service protocol reference, section 18.6). App
// servers ask by the connection token: whoever has it was let in with it.

type Question = RefreshAuth | GetConnectionClaims;
type RefreshContext = Pick<ServerContext, 'clients' | 'expiring' | 'tokens'>;

const CLOSES = 'asrs.s.coae';
const ENDS_AT = 'asrs.s.aeo';

/** All claims of the connection's access token. */
export function claimsAnswer(
  question: GetConnectionClaims,
  hub: HubRuntime,
  context: RefreshContext,
): Answer {
  const client = clientOf(question, hub, context);
  return client === undefined ? NOT_FOUND : confirmed(claimSet(client.introduction.tokenPayload));
}

/**
 * Gives a connection the claims of a new sign-in, and the time when that ends. They take the place of
 * those it has, so that it keeps no more than before. Who the user is cannot change; where the
 * connection is served and how, which its first token settled, does not.
 */
export function refreshAuth(
  question: RefreshAuth,
  hub: HubRuntime,
  context: RefreshContext,
): Answer {
  const client = clientOf(question, hub, context);
  if (client === undefined) return NOT_FOUND;
  const { introduction } = client;
  const previous = claimSet(introduction.tokenPayload);
  const given = question.claims.length === 0 ? previous : question.claims;
  const tokenPayload = payloadOf(withEnd(given, previous, question.expireTime));
  const claims = readClientClaims(tokenPayload);
  if (claims.userId !== client.userId) return answerOf(AckStatus.Forbidden);
  if (introductionLength({ ...introduction, tokenPayload }) > MAX_INTRODUCTION_LENGTH) {
    const why = `Claims, headers and query are over ${MAX_INTRODUCTION_LENGTH} characters.`;
    return answerOf(AckStatus.InternalServerError, why);
  }
  if (tokenPayload !== payloadOf(previous)) {
    replaceTokenPayload(introduction, tokenPayload);
    tellItsServer(client);
  }
  const end = signInEnd(claims);
  if (end === undefined) context.expiring.delete(client);
  else context.expiring.set(client, end);
  return confirmed(claimSet(tokenPayload));
}

/** The connection that a connection token is of. */
export function connectionIdOf({ connectionToken }: Question): string {
  return connectionToken.slice(0, CONNECTION_ID_LENGTH);
}

/** Of this hub, and negotiated with version 1: others have no token that could be told. */
function clientOf(
  question: Question,
  hub: HubRuntime,
  { clients, tokens }: RefreshContext,
): HubClient | undefined {
  const client = clients.get(connectionIdOf(question));
  if (client?.hub !== hub) return undefined;
  const { connectionToken } = question;
  const grant = verifyConnectionToken(connectionToken, hub.name, client.userId, tokens.keys);
  return grant && client;
}

/**
 * The claims with the end of the sign-in in them, for connections that are closed then: claims of the
 * previous token that say so hold until new ones say otherwise.
 */
function withEnd(given: ClaimSet, previous: ClaimSet, expireTime: Timestamp): ClaimSet {
  const closes = valueOf(given, CLOSES) ?? valueOf(previous, CLOSES);
  const end = isNever(expireTime)
    ? (valueOf(given, ENDS_AT) ?? valueOf(previous, ENDS_AT))
    : String(Math.max(0, expireTime.seconds));
  if (closes === undefined || end === undefined) return given;
  const claims = new Map([
    [CLOSES, closes],
    [ENDS_AT, end],
  ]);
  const kept = given.map(([type, value]) => [type, claims.get(type) ?? value] as const);
  const missing = [...claims].filter(([type]) => valueOf(given, type) === undefined);
  return [...kept, ...missing];
}

function valueOf(claims: ClaimSet, type: string): string | undefined {
  return claims.find(([name]) => name === type)?.[1];
}

/** The app server that the client is with, if it is with one now; others are told when it comes. */
function tellItsServer({ id: connectionId, introduction, host }: HubClient): void {
  if (host?.software.updatesClaims !== true) return;
  const claims = forwardedClaims(introduction.tokenPayload);
  host.write({ type: MessageType.UpdateConnectionClaims, connectionId, claims });
}

function confirmed(claims: ClaimSet): Answer {
  return answerOf(AckStatus.Ok, '', encodeClaims(claims));
}
