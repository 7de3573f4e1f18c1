import type { EndpointLoad } from '../endpoints/endpoint.ts';
import { readEdgeReport } from '../trunk/edge-report.ts';
import type { EdgeReport } from '../trunk/edge-report.ts';

/** What a server does on the service's pings (service protocol reference, section 7.4). */
export interface PingActions {
  /** Writes a ping with these entries, at once. */
  reply(entries: readonly string[]): void;
  offline(instanceId: string): void;
  finAcked(): void;
  load(reported: EndpointLoad): void;
  target(instanceId: string): void;
  edges(reported: EdgeReport): void;
}

/** Acts on one ping; `echo`, `offline` and `shutdown` take the whole of it. */
export function answerPing(entries: readonly string[], actions: PingActions): void {
  const value = (key: string) => valueOf(entries, key);
  if (value('echo') !== undefined) return actions.reply(entries);
  const offline = value('offline');
  if (offline !== undefined) return actions.offline(offline);
  if (value('shutdown') === 'finack') return actions.finAcked();
  const clients = count(value('clientcount'));
  if (clients !== undefined) {
    const servers = count(value('servercount')) ?? 0;
    actions.load({ clients, servers, capacity: count(value('capacity')) ?? 0 });
  }
  const target = value('target') ?? '';
  if (target !== '') actions.target(target);
  const edges = readEdgeReport(entries);
  if (edges !== undefined) actions.edges(edges);
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Keys stand at the even places. */
function valueOf(entries: readonly string[], key: string): string | undefined {
  for (let i = 0; i + 1 < entries.length; i += 2) if (entries[i] === key) return entries[i + 1];
  return undefined;
}
