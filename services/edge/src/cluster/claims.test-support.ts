import type { HttpAnswer } from '../ports/listener.ts';
import { requestWith, tokenFor } from '../sessions/client/visits.test-support.ts';
import { ClientSession } from '../sessions/client/client-session.ts';
import { FakeUpgrade } from '../sessions/fake-upgrade.test-support.ts';
import type { FakeServer } from '../sessions/fixtures.test-support.ts';
import { FakeClient, JSON_HANDSHAKE } from '../sessions/fixtures.test-support.ts';
import type { Member } from './cluster-member.test-support.ts';
import { roundTrip } from './cluster-member.test-support.ts';

/** What a client has been given by a negotiate, and connects with. */
export interface Offer {
  readonly id: string;
  /** Of version 0, the id again. */
  readonly connectionToken: string;
  readonly userId: string;
}

/** `version`: of the negotiate. */
export function negotiateAt({ edge }: Member, userId = 'ann', version = 1): Offer {
  const request = requestWith(tokenFor(edge, { userId }), `hub=chat&negotiateVersion=${version}`);
  const offer = JSON.parse(String(edge.negotiate(request).body)) as {
    readonly connectionId: string;
    readonly connectionToken?: string;
  };
  const { connectionId: id, connectionToken = id } = offer;
  return { id, connectionToken, userId };
}

/** A request for a WebSocket at an edge, with what was given at some edge. */
export function landAt({ edge }: Member, { connectionToken, userId }: Offer): FakeUpgrade {
  const upgrade = new FakeUpgrade();
  const query = `hub=chat&id=${connectionToken}`;
  edge.doors.client(requestWith(tokenFor(edge, { userId }), query), upgrade);
  return upgrade;
}

/** What it was answered by now: 101, the status of the refusal, or undefined. */
export function statusOf({ verdict }: FakeUpgrade): number | undefined {
  if (verdict === undefined) return undefined;
  return verdict instanceof ClientSession ? 101 : (verdict as HttpAnswer).status;
}

/** The connection that has been accepted. */
export function openedFrom(upgrade: FakeUpgrade): FakeClient {
  if (!(upgrade.verdict instanceof ClientSession)) throw new Error(`${statusOf(upgrade)}`);
  return new FakeClient(upgrade.verdict);
}

/** A client that was given its id at one edge, and that `server` of another one serves. */
export async function clientAt(
  owner: Member,
  server: FakeServer,
  offer: Offer,
): Promise<FakeClient> {
  const upgrade = landAt(owner, offer);
  await roundTrip();
  const client = openedFrom(upgrade);
  client.says(JSON_HANDSHAKE);
  await roundTrip();
  server.data(client, '{}␞');
  await server.messages();
  client.socket.sent.length = 0;
  return client;
}
