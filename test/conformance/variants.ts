import {
  HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  type IHubProtocol,
  type IRetryPolicy,
  JsonHubProtocol,
  LogLevel,
  VERSION,
} from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';

/** Where a client connects, and as whom. */
export interface Target {
  /** The hub at the app server, which knows the client by `appToken`. */
  readonly negotiateUrl: string;
  readonly appToken: string;
  /** The hub at the edge, with the token it asks for. */
  readonly directUrl: string;
  readonly edgeToken: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly reconnect: IRetryPolicy | undefined;
}

/** A way to be a client: a row of the conformance matrix. */
export interface ClientVariant {
  readonly name: string;
  readonly protocol: 'json' | 'messagepack';
  /** Whether it goes through the app server's negotiate, or straight to the edge. */
  readonly negotiates: boolean;
  /** A connection that has not been started. */
  build(target: Target): HubConnection;
}

const PROTOCOLS = {
  json: () => new JsonHubProtocol(),
  messagepack: () => new MessagePackHubProtocol(),
} satisfies Record<ClientVariant['protocol'], () => IHubProtocol>;

function webSockets(protocol: ClientVariant['protocol'], negotiates: boolean): ClientVariant {
  return {
    name: `JavaScript ${VERSION}, ${protocol}, WebSockets, ${negotiates ? 'negotiated' : 'direct'}`,
    protocol,
    negotiates,
    build(target) {
      const { negotiateUrl, directUrl, appToken, edgeToken, headers, reconnect } = target;
      const builder = new HubConnectionBuilder()
        .withUrl(negotiates ? negotiateUrl : directUrl, {
          transport: HttpTransportType.WebSockets,
          skipNegotiation: !negotiates,
          accessTokenFactory: () => (negotiates ? appToken : edgeToken),
          headers,
        })
        .withHubProtocol(PROTOCOLS[protocol]())
        .configureLogging(LogLevel.None);
      if (reconnect !== undefined) builder.withAutomaticReconnect(reconnect);
      return builder.build();
    },
  };
}

export const VARIANTS: readonly ClientVariant[] = [
  webSockets('json', true),
  webSockets('messagepack', true),
  webSockets('json', false),
  webSockets('messagepack', false),
];
