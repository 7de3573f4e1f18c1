import type { HttpConnection, RequestOptions } from './http-connection.ts';
import { RawSocket } from './raw-socket.ts';
import type { TransportLabel } from './request-clients.ts';

/** What the edge said to a request that would make a connection of an id, and what ends that. */
export interface TakenUp extends AsyncDisposable {
  /** 101 for a WebSocket that is open. */
  readonly status: number;
  /** Of a refusal. */
  readonly body: string;
}

/** Connects by a transport, and says nothing. The id, hub and token may be others than its own. */
export async function takeUp(
  edgeUrl: string,
  transport: TransportLabel,
  connection: HttpConnection,
  { id, token, hub }: Pick<RequestOptions, 'id' | 'token' | 'hub'> = {},
): Promise<TakenUp> {
  const { negotiated } = connection;
  const options = {
    id: id ?? negotiated.connectionToken,
    token: token ?? negotiated.accessToken,
    hub: hub ?? negotiated.hub,
  };
  if (transport === 'webSockets') return await byWebSocket(edgeUrl, options);
  const away = new AbortController();
  const { signal } = away;
  const byStream = transport === 'serverSentEvents';
  const response = await connection[byStream ? 'stream' : 'poll']({ ...options, signal });
  const open = response.status === 200;
  return {
    status: response.status,
    body: open && byStream ? '' : await response.text(),
    [Symbol.asyncDispose]: async () => {
      if (open && !byStream) await connection.leave(options);
      away.abort();
    },
  };
}

async function byWebSocket(
  edgeUrl: string,
  { id, token, hub }: { id: string; token: string; hub: string },
): Promise<TakenUp> {
  const socket = new RawSocket(edgeUrl);
  const path = `/client/?hub=${hub}&id=${encodeURIComponent(id)}`;
  const { status, rest } = await socket.upgrade(path, { Authorization: `Bearer ${token}` });
  return {
    status: Number(status.split(' ')[1]),
    body: rest.toString(),
    [Symbol.asyncDispose]: () => Promise.resolve(socket[Symbol.dispose]()),
  };
}
