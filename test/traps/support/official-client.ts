import type { HubConnection, IHttpConnectionOptions, IHubProtocol } from '@microsoft/signalr';
import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';

import { userToken } from '../../edge/support/tokens.ts';

export const TRANSPORTS = {
  webSockets: HttpTransportType.WebSockets,
  serverSentEvents: HttpTransportType.ServerSentEvents,
  longPolling: HttpTransportType.LongPolling,
} as const;

export type TransportLabel = keyof typeof TRANSPORTS;
export const TRANSPORT_LABELS = Object.keys(TRANSPORTS) as TransportLabel[];

/** `@microsoft/signalr` for `url`, silent; `change` has the last word. */
export function officialClient(
  url: string,
  options: IHttpConnectionOptions & { protocol?: IHubProtocol } = {},
  change: (builder: HubConnectionBuilder) => void = () => {},
): HubConnection {
  const { protocol, ...rest } = options;
  const hub = new URL(url).searchParams.get('hub') ?? 'chat';
  const builder = new HubConnectionBuilder()
    .withUrl(url, { accessTokenFactory: () => userToken(hub, 'ann'), ...rest })
    .configureLogging(LogLevel.None);
  if (protocol !== undefined) builder.withHubProtocol(protocol);
  change(builder);
  return builder.build();
}

/** The first argument of the next call of `method` on the client. */
export function called(connection: HubConnection, method: string): Promise<unknown> {
  return new Promise((resolve) => {
    connection.on(method, (value: unknown) => {
      connection.off(method);
      resolve(value);
    });
  });
}
