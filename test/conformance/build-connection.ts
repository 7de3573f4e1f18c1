import type { HttpClient, HubConnection, IHubProtocol, IRetryPolicy } from '@microsoft/signalr';
import type { TransportName } from '@trunkline/sdk';

import { type Library, LIBRARIES } from './libraries.ts';
import { NEEDS } from './scenario.ts';
import type { ClientKind, ProtocolName } from './variants.ts';

/** Where a client connects, as whom, and in what it differs from others of its kind. */
export interface Target {
  /** Of the hub, at the app server or at the edge. */
  readonly url: string;
  readonly token: () => string;
  readonly headers: Readonly<Record<string, string>>;
  /** For kinds that reconnect at all. */
  readonly reconnect: IRetryPolicy | undefined;
  /** What the client allows itself; its kind's transport alone when not given. */
  readonly allows?: readonly TransportName[] | undefined;
  /** Its WebSockets never open, as behind a proxy that does not know them. */
  readonly withoutWebSockets?: boolean | undefined;
  /** What the handshake says of the hub protocol, where that is not the truth. */
  readonly poses?: Partial<Pick<IHubProtocol, 'name' | 'version'>> | undefined;
}

const PROTOCOLS: Readonly<Record<ProtocolName, (library: Library) => IHubProtocol>> = {
  json: ({ signalr }) => new signalr.JsonHubProtocol(),
  messagepack: ({ messagepack }) => new messagepack.MessagePackHubProtocol(),
};

/** A connection that has not been started. */
export function buildConnection(kind: ClientKind, target: Target): HubConnection {
  const { version, way, protocol } = kind;
  const library = LIBRARIES[version];
  const { HttpTransportType, HubConnectionBuilder, LogLevel } = library.signalr;
  const { allows = [way.transport], withoutWebSockets = false } = target;
  // The client takes a WebSocket class in all versions, without saying so in its types.
  const sockets = withoutWebSockets ? { WebSocket: ShutWebSocket } : {};
  const builder = new HubConnectionBuilder()
    .withUrl(target.url, {
      ...(target.poses === undefined ? {} : { httpClient: hastyHttpClient(library) }),
      transport: allows.reduce((mask, transport) => mask | HttpTransportType[transport], 0),
      skipNegotiation: !way.negotiates,
      accessTokenFactory: target.token,
      headers: target.headers,
      ...sockets,
    })
    .withHubProtocol(Object.assign(PROTOCOLS[protocol](library), target.poses))
    .configureLogging(LogLevel.None);
  if (target.reconnect !== undefined && NEEDS.reconnect.met(kind)) {
    builder.withAutomaticReconnect(target.reconnect);
  }
  return builder.build();
}

/**
 * Takes posts of hub messages for answered as soon as they are sent. The client looks at the answer
 * to its handshake only when its post has been answered, and a refusal that is here before is to
 * Node a rejection that nobody handles.
 */
function hastyHttpClient({ signalr }: Library): HttpClient {
  const client = new signalr.DefaultHttpClient(signalr.NullLogger.instance);
  const send = client.send.bind(client);
  client.send = async (request) => {
    if (request.method !== 'POST' || request.content === '') return send(request);
    // It fails where the connection has ended before, which the client hears anyway.
    send(request).catch(() => {});
    return new signalr.HttpResponse(200);
  };
  return client;
}

/** Fails as soon as it has been made. */
class ShutWebSocket extends EventTarget {
  onerror: ((event: Event) => void) | undefined;
  onclose: ((event: Event) => void) | undefined;

  constructor() {
    super();
    queueMicrotask(() => {
      this.onerror?.(new Event('error'));
      this.onclose?.(new Event('close'));
    });
  }

  close(): void {}
}
