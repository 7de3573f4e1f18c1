import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { AccessKeys, bearerToken, verifyToken } from '@trunkline/tokens';

import { deferred } from '../deferred.ts';
import { TEST_KEY } from '../fake-service.test-support.ts';

/** What a call did, as a test reads it. */
export interface FakeCall {
  readonly method: string;
  /** As it was sent, still escaped, with its query. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Connection {
  readonly userId?: string;
  readonly groups: Set<string>;
}

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The route of a call: its names unescaped, the literal segments as they are. */
interface Route {
  readonly method: string;
  readonly path: string;
  readonly names: readonly string[];
  readonly query: URLSearchParams;
  readonly body: string;
}

type Handler = (service: FakeRestService, route: Route) => Answer;

const DONE: Answer = { status: 200, json: {} };
const ACCEPTED: Answer = { status: 202, json: {} };
const NOTHING: Answer = { status: 204 };
const GONE = 'Error.Connection.NotExisted';

const absent = (code: string): Answer => ({ status: 404, code });
const when = (found: boolean, code: string): Answer => (found ? { status: 200 } : absent(code));

/** The routes of the dated API versions (REST reference, sections 1.4, 1.5 and 1.7). */
const ROUTES: Readonly<Record<string, Handler>> = {
  'POST :send': message,
  'POST :closeConnections': (service, { query }) => service.close(query, () => true),
  'POST connections/*/:send': message,
  'POST connections/*/:invoke': (service, { names: [id] }) =>
    service.connections.has(id!) ? service.invocation : absent(GONE),
  'HEAD connections/*': (service, { names: [id] }) =>
    when(service.connections.has(id!), 'Warning.Connection.NotExisted'),
  'DELETE connections/*': (service, { names: [id] }) =>
    service.connections.delete(id!) ? DONE : absent('Warning.Connection.NotExisted'),
  'DELETE connections/*/groups': (service, { names: [id] }) => {
    service.connections.get(id!)?.groups.clear();
    return DONE;
  },
  'POST groups/*/:send': message,
  'POST groups/*/:closeConnections': (service, { names: [group], query }) =>
    service.close(query, ({ groups }) => groups.has(group!)),
  'HEAD groups/*': (service, { names: [group] }) =>
    when(service.members(group!).length > 0, 'Warning.Group.NotExisted'),
  'GET groups/*/connections': (service, route) => service.page(route),
  'PUT groups/*/connections/*': (service, { names: [group, id] }) => {
    service.connections.get(id!)?.groups.add(group!);
    return service.connections.has(id!) ? DONE : absent(GONE);
  },
  'DELETE groups/*/connections/*': (service, { names: [group, id] }) => {
    service.connections.get(id!)?.groups.delete(group!);
    return service.connections.has(id!) ? DONE : absent(GONE);
  },
  'GET x/count': (service, route) => service.count(route),
  'GET x/connections': (service, route) => service.list(route),
  'GET x/groups/*/count': (service, route) => service.count(route),
  'GET x/groups/*/connections': (service, route) => service.list(route),
  'GET x/users/*/count': (service, route) => service.count(route),
  'GET x/users/*/connections': (service, route) => service.list(route),
  'POST users/*/:send': message,
  'POST users/*/:closeConnections': (service, { names: [user], query }) =>
    service.close(query, ({ userId }) => userId === user),
  'HEAD users/*': (service, { names: [user] }) => {
    const found = [...service.connections.values()].some(({ userId }) => userId === user);
    return when(found, 'Warning.User.NotExisted');
  },
  'DELETE users/*/groups': (service, { names: [user] }) => {
    for (const key of service.userGroups)
      if (key.startsWith(`${user}/`)) service.userGroups.delete(key);
    return NOTHING;
  },
  'PUT users/*/groups/*': (service, { names }) => {
    service.userGroups.add(names.join('/'));
    return DONE;
  },
  'DELETE users/*/groups/*': (service, { names }) => {
    service.userGroups.delete(names.join('/'));
    return NOTHING;
  },
  'HEAD users/*/groups/*': (service, { names }) =>
    when(service.userGroups.has(names.join('/')), 'Info.User.NotInGroup'),
};

function message(_service: FakeRestService, { body }: Route): Answer {
  const members = body === '' ? {} : (JSON.parse(body) as { target?: unknown });
  if (typeof members.target === 'string' && members.target !== '') return ACCEPTED;
  const text = 'Message in request body is required.';
  return { status: 400, code: 'BadRequest', json: { code: 'BadRequest', message: text } };
}

/** The data-plane REST API of one hub, `chat`, as the reference has it. */
export class FakeRestService {
  readonly connections = new Map<string, Connection>();
  /** `user/group`. */
  readonly userGroups = new Set<string>();
  readonly calls: FakeCall[] = [];
  /** Answers that the next calls get instead of their own; null cuts them off. */
  readonly instead: (Answer | null)[] = [];
  #held: Promise<void> | undefined;
  /** What clients answer. */
  invocation: Answer = { status: 200 };
  readonly #http: Server;

  private constructor() {
    this.#http = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<FakeRestService> {
    const service = new FakeRestService();
    await new Promise<void>((resolve) => service.#http.listen(0, '127.0.0.1', resolve));
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  get connectionString(): string {
    return `Endpoint=${this.url};AccessKey=${TEST_KEY};Version=1.0;`;
  }

  async stop(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise<void>((resolve) => this.#http.close(() => resolve()));
  }

  /** Answers no call any more until what it returns is called. */
  holdBack(): () => void {
    const { promise, resolve } = deferred();
    this.#held = promise;
    return resolve;
  }

  connect(id: string, userId?: string): void {
    this.connections.set(id, { ...(userId !== undefined && { userId }), groups: new Set() });
  }

  members(group: string): string[] {
    const all = [...this.connections].filter(([, { groups }]) => groups.has(group));
    return all.map(([id]) => id).sort();
  }

  close(query: URLSearchParams, of: (connection: Connection) => boolean): Answer {
    for (const [id, connection] of this.connections) {
      if (of(connection) && !query.getAll('excluded').includes(id)) this.connections.delete(id);
    }
    return NOTHING;
  }

  page({ names: [group], query }: Route): Answer {
    const last = query.get('continuationToken') ?? '';
    const rest = this.members(group!).filter((id) => id > last);
    const count = Math.min(Number(query.get('maxpagesize')), Number(query.get('top') ?? Infinity));
    const ids = rest.slice(0, count);
    const value = ids.map((connectionId) => this.#listed(connectionId));
    if (rest.length <= count) return { status: 200, json: { value } };
    query.set('continuationToken', ids.at(-1)!);
    const path = `/api/hubs/chat/groups/${encodeURIComponent(group!)}/connections`;
    return { status: 200, json: { value, nextLink: `${this.url}${path}?${query}` } };
  }

  /** Whom a route below `/api/x/` is about. */
  #scope({ path, names: [name] }: Route): string[] {
    if (path.includes('/groups/')) return this.members(name!);
    const isOf = ({ userId }: Connection) => !path.includes('/users/') || userId === name;
    return [...this.connections].flatMap(([id, one]) => (isOf(one) ? [id] : [])).sort();
  }

  count(route: Route): Answer {
    const ids = this.#scope(route);
    return { status: 200, json: { count: ids.length, version: ids.join() } };
  }

  list(route: Route): Answer {
    const { query } = route;
    const rest = this.#scope(route).filter((id) => id > (query.get('cursor') ?? ''));
    const ids = rest.slice(0, Number(query.get('top')));
    const value = ids.map((connectionId) => this.#listed(connectionId));
    const next = rest.length > ids.length ? { cursor: ids.at(-1) } : {};
    return { status: 200, json: { value, ...next } };
  }

  #listed(connectionId: string): object {
    const { userId } = this.connections.get(connectionId)!;
    return { connectionId, ...(userId !== undefined && { userId }) };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { method = '', url = '', headers } = request;
    this.calls.push({ method, url, headers, body });
    await this.#held;
    const instead = this.instead.shift();
    if (instead === null) {
      request.socket.resetAndDestroy();
      return;
    }
    const answer = instead ?? this.#answer({ method, url, headers, body });
    const json = answer.json === undefined ? {} : { 'content-type': 'application/json' };
    const code = answer.code === undefined ? {} : { 'x-ms-error-code': answer.code };
    response.writeHead(answer.status, { ...json, ...code, ...answer.headers });
    const text = answer.body ?? (answer.json === undefined ? '' : JSON.stringify(answer.json));
    response.end(method === 'HEAD' ? '' : text);
  }

  #answer({ method, url, headers, body }: FakeCall): Answer {
    const [path = '', search = ''] = url.split('?', 2);
    const query = new URLSearchParams(search);
    if (path === '/api/health') return { status: 200 };
    if (!/^\d{4}-\d\d-\d\d$/.test(query.get('api-version') ?? '')) return { status: 400 };
    const token = verifyToken(bearerToken(headers.authorization) ?? '', {
      keys: new AccessKeys([TEST_KEY]),
      now: Date.now() / 1000,
      use: 'rest',
      hub: 'chat',
      path,
    });
    if (typeof token === 'string') {
      return { status: 401, headers: { 'www-authenticate': `Bearer error="${token}"` } };
    }
    const [, api, hubs, hub, ...segments] = path.replace('/x/', '/').split('/');
    const names: string[] = [];
    const shape = segments.map((segment, at) => {
      if (segment.startsWith(':') || at % 2 === 0) return segment;
      names.push(decodeURIComponent(segment));
      return '*';
    });
    const own = path.startsWith('/api/x/') ? 'x/' : '';
    const handler = ROUTES[`${method} ${own}${shape.join('/')}`];
    if (`${api}/${hubs}/${hub}` !== 'api/hubs/chat' || handler === undefined)
      return { status: 404 };
    return handler(this, { method, path, names, query, body });
  }
}
