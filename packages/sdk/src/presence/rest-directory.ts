import type { GroupMember } from '../management/hub-manager.ts';
import type { RestAnswer, RestClient, RestPath } from '../rest/rest-client.ts';
import { path } from '../rest/rest-client.ts';
import type { ConnectionCount, ConnectionPage, ConnectionScope, Directory } from './directory.ts';

/**
 * Asks a service by REST: below `/api/x/`, which is Trunkline's own. Azure SignalR Service answers that
 * it has no such thing, which rejects with TrunklineError `refused`.
 */
export class RestDirectory implements Directory {
  readonly name: string;
  readonly #client: RestClient;
  readonly #hub: string;

  constructor(name: string, client: RestClient, hub: string) {
    this.name = name;
    this.#client = client;
    this.#hub = hub;
  }

  async count(scope: ConnectionScope, signal?: AbortSignal): Promise<ConnectionCount> {
    const address = countPath(this.#hub, scope);
    const answer = await this.#client.call({ method: 'GET', path: address, signal });
    return readJson(answer) as ConnectionCount;
  }

  async page(
    scope: ConnectionScope,
    size: number,
    cursor?: string,
    signal?: AbortSignal,
  ): Promise<ConnectionPage> {
    const query: ['top' | 'cursor', string][] = [['top', String(size)]];
    if (cursor !== undefined) query.push(['cursor', cursor]);
    const address = listPath(this.#hub, scope);
    const answer = await this.#client.call({ method: 'GET', path: address, query, signal });
    const { value, cursor: next } = readJson(answer) as Page;
    return { members: value, cursor: next };
  }
}

interface Page {
  readonly value: readonly GroupMember[];
  readonly cursor?: string;
}

type Counts =
  | 'x/hubs/{hub}/count'
  | 'x/hubs/{hub}/groups/{group}/count'
  | 'x/hubs/{hub}/users/{user}/count';
type Lists =
  | 'x/hubs/{hub}/connections'
  | 'x/hubs/{hub}/groups/{group}/connections'
  | 'x/hubs/{hub}/users/{user}/connections';

function countPath(hub: string, { group, userId: user }: ConnectionScope): RestPath<Counts> {
  if (group !== undefined) return path('x/hubs/{hub}/groups/{group}/count', { hub, group });
  if (user !== undefined) return path('x/hubs/{hub}/users/{user}/count', { hub, user });
  return path('x/hubs/{hub}/count', { hub });
}

function listPath(hub: string, { group, userId: user }: ConnectionScope): RestPath<Lists> {
  if (group !== undefined) return path('x/hubs/{hub}/groups/{group}/connections', { hub, group });
  if (user !== undefined) return path('x/hubs/{hub}/users/{user}/connections', { hub, user });
  return path('x/hubs/{hub}/connections', { hub });
}

/** No call here names a 404 that is an answer, so there is always one. */
function readJson(answer: RestAnswer | undefined): unknown {
  return JSON.parse(Buffer.from(answer!.body).toString());
}
