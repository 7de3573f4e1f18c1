import { MessageType } from '@trunkline/protocol';
import type { HubRuntime } from '../hub-runtime.ts';
import type { ServerContext } from './server-context.ts';
import type { ServerSession } from './server-session.ts';

/** .NET counts 100 ns ticks from the year 1; the SDK compares stamps made so (section 7.4). */
const TICKS_AT_1970 = 621_355_968_000_000_000n;
const TICKS_PER_MS = 10_000n;
let lastStamp = 0n;

/**
 * Answers what a ping asks (service protocol reference, section 7.4). The keep-alive itself, with or
 * without its load report, gets no answer: this side pings at a pace of its own.
 */
export function answerPing(
  entries: readonly string[],
  server: ServerSession,
  context: ServerContext,
): void {
  const value = (key: string): string | undefined => {
    const at = entries.findIndex((entry, index) => index % 2 === 0 && entry === key);
    return at === -1 ? undefined : (entries[at + 1] ?? '');
  };
  const { hub } = server;
  const shutdown = value('shutdown');
  if (shutdown?.startsWith('fin:') === true) server.depart(shutdown);
  if (value('status') !== undefined) {
    const status = hasClients(hub) ? '1' : '0';
    server.write({ type: MessageType.Ping, entries: ['status', status, ...load(context)] });
  }
  if (value('edges') !== undefined) server.askForEdges();
  if (value('servers') !== undefined) {
    const servers = `${stamp(context)}:${hub.servers.serverIds().join(';')}`;
    server.write({ type: MessageType.Ping, entries: ['servers', servers] });
  }
}

/**
 * At any edge: an app server that hears of none for ten minutes takes the service to be idle, and
 * earlier releases of the package send nothing over weak connections then.
 */
function hasClients({ model, servers, others }: HubRuntime): boolean {
  return model.members.length > 0 || servers.hasClients || others.hasClients;
}

/** What app servers with several services weigh them by; no capacity means that they all count alike. */
function load({ clients, servers, limits }: ServerContext): string[] {
  const capacity = Math.min(limits.connections, limits.openSockets);
  const counts = ['clientcount', String(clients.size), 'servercount', String(servers.size)];
  return Number.isFinite(capacity) ? [...counts, 'capacity', String(capacity)] : counts;
}

/** A time stamp that is larger than every one before it, which is what the SDK asks of one. */
function stamp(context: ServerContext): bigint {
  const now = TICKS_AT_1970 + BigInt(Math.floor(context.time.unixSeconds() * 1000)) * TICKS_PER_MS;
  lastStamp = now > lastStamp ? now : lastStamp + 1n;
  return lastStamp;
}
