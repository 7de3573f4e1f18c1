import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import type { HubConnection } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { Mailbox } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, mintClientToken, mintRestToken } from '@trunkline/tokens';

export interface CallOptions {
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of one that is good for the path; null: none. */
  readonly token?: string | null;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  readonly bytes: Uint8Array;
}

/** The token of a call: for its path, without the query. */
export function restToken(url: string, key = DEVELOPMENT_ACCESS_KEY): string {
  const { origin, pathname } = new URL(url);
  return mintRestToken({ key, audience: origin + pathname });
}

/** One REST call, `POST /api/hubs/…`. */
export async function call(
  edgeUrl: string,
  what: string,
  { body, headers = {}, token }: CallOptions = {},
): Promise<Answer> {
  const [method, path] = what.split(' ', 2) as [string, string];
  const url = edgeUrl + path;
  const authorization =
    token === null ? {} : { authorization: `Bearer ${token ?? restToken(url)}` };
  const json = typeof body === 'string' ? { 'content-type': 'application/json' } : {};
  const response = await fetch(url, {
    method,
    headers: { ...authorization, ...json, ...headers },
    ...(body !== undefined && { body: sendable(body), duplex: 'half' }),
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const text = Buffer.from(bytes).toString();
  return { status: response.status, headers: response.headers, body: text, bytes };
}

/** A fetch takes no bytes of memory that may be shared. */
function sendable(
  body: NonNullable<CallOptions['body']>,
): string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  return body instanceof Uint8Array ? Uint8Array.from(body) : body;
}

/** A client of a hub, and what is said to it. */
export interface RestClient {
  readonly connection: HubConnection;
  readonly id: string;
  /** The arguments of each `say`. */
  readonly said: Mailbox<unknown[]>;
  /** Resolves with the message of the error that its connection ended with, if it did. */
  readonly closed: Promise<string | undefined>;
}

export type Protocol = 'json' | 'messagepack';

export async function connectClient(
  edgeUrl: string,
  { hub = 'chat', user, protocol = 'json' }: { hub?: string; user?: string; protocol?: Protocol },
): Promise<RestClient> {
  const token = mintClientToken({
    key: DEVELOPMENT_ACCESS_KEY,
    audienceBase: `${edgeUrl}/`,
    hub,
    userId: user,
  });
  const builder = new HubConnectionBuilder()
    .withUrl(`${edgeUrl}/client/?hub=${hub}`, { accessTokenFactory: () => token })
    .configureLogging(LogLevel.None);
  if (protocol === 'messagepack') builder.withHubProtocol(new MessagePackHubProtocol());
  const connection = builder.build();
  const said = new Mailbox<unknown[]>();
  connection.on('say', (...args: unknown[]) => said.add(args));
  const closed = new Promise<string | undefined>((resolve) => {
    connection.onclose((error) => resolve(error?.message));
  });
  await connection.start();
  return { connection, id: connection.connectionId!, said, closed };
}
