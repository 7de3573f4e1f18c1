import { MemoryBroker } from '../bus/memory-bus.ts';
import type { FakeClient, FakeServer } from '../sessions/fixtures.test-support.ts';
import { JSON_HANDSHAKE } from '../sessions/fixtures.test-support.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import type { Member } from './cluster-member.test-support.ts';
import { join, roundTrip, settle } from './cluster-member.test-support.ts';

type ServerSettings = Parameters<Member['edge']['server']>[0];
type ClientSettings = Parameters<Member['edge']['strangeClient']>[0];

/** Edges that know each other: clients are at the first, app servers at the second, where nothing else is said. */
export interface House {
  readonly broker: MemoryBroker;
  readonly owner: Member;
  readonly host: Member;
}

export async function house(): Promise<House> {
  const broker = new MemoryBroker(SYSTEM_TIME);
  const [owner, host] = [join(broker, 'owner'), join(broker, 'host')];
  await settle(owner, host);
  return { broker, owner, host };
}

/** An app server that others know of. */
export async function serverAt(member: Member, settings: ServerSettings = {}): Promise<FakeServer> {
  const server = await member.edge.server(settings);
  await announced(member);
  return server;
}

/** Time in which others learn of app servers that have come or gone. */
export async function announced(member: Member): Promise<void> {
  member.edge.time.pass(100);
  await roundTrip();
}

/** A client whose handshake request is out. */
export async function arriving(member: Member, settings: ClientSettings = {}): Promise<FakeClient> {
  const client = member.edge.strangeClient(settings);
  client.says(JSON_HANDSHAKE);
  await roundTrip();
  return client;
}

/** A client that is open, served by `server`, wherever that is; both have read what came. */
export async function guestOf(
  server: FakeServer,
  member: Member,
  settings: ClientSettings = {},
): Promise<FakeClient> {
  const client = await arriving(member, settings);
  server.data(client, '{}␞');
  await roundTrip();
  await server.messages();
  client.socket.sent.length = 0;
  return client;
}
