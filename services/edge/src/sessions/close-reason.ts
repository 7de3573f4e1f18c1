/** Who caused a close, so that whoever is called at night knows where to look. */
export type Fault = 'client' | 'app server' | 'edge' | 'network' | 'operator';

export interface CloseReason {
  /** Metric label and log field. Azure's close categories where it has one for the case. */
  readonly label: string;
  readonly fault: Fault;
  /** Whether the hub Close message lets automatic reconnection go on. */
  readonly reconnect: boolean;
  /** WebSocket close code. */
  readonly code: number;
  /** Goes to the client as the error of its hub Close message, where it is told one. */
  readonly text?: string;
  /** For the documentation page. */
  readonly when: string;
}

/**
 * Every way a client connection ends. A client that was told a hub Close goes by that alone, so
 * `reconnect` decides what it does next and the WebSocket close code is for proxies and people
 * (client protocols reference, section 2.1).
 */
export const CLIENT_CLOSE_REASONS = {
  normal: {
    label: 'Normal',
    fault: 'client',
    reconnect: true,
    code: 1000,
    when: 'The client closed its connection.',
  },
  connectionLost: {
    label: 'ConnectionLost',
    fault: 'network',
    reconnect: true,
    code: 1006,
    when: 'The connection ended without a WebSocket close: the network, or the client, went away, or nothing came from it for 28 s, not even the answer to a WebSocket ping.',
  },
  pollTimeout: {
    label: 'PollTimeout',
    fault: 'network',
    reconnect: true,
    code: 1001,
    when: 'A long-polling client did not come back with a poll in time: the network, or the client, went away.',
  },
  pingTimeout: {
    label: 'PingTimeout',
    fault: 'network',
    reconnect: true,
    code: 1001,
    text: 'The client was not heard for too long.',
    when: 'A client without an app server, served by an upstream, that had pinged its hub was silent for 30 s.',
  },
  signInExpired: {
    label: 'SignInExpired',
    fault: 'client',
    reconnect: true,
    code: 1000,
    when: 'The sign-in that the app server vouched for has ended, and the app server wants such clients closed.',
  },
  closedByAppServer: {
    label: 'ClosedByAppServer',
    fault: 'app server',
    reconnect: false,
    code: 1000,
    when: 'The hub ended the connection, or an app server asked for it.',
  },
  handshakeError: {
    label: 'HandshakeError',
    fault: 'client',
    reconnect: false,
    code: 1000,
    when: 'The hub handshake was malformed, too long, late, or refused by the hub.',
  },
  noAvailableServerConnection: {
    label: 'NoAvailableServerConnection',
    fault: 'app server',
    reconnect: true,
    code: 1000,
    text: 'No app server is connected for this hub. Try again later.',
    when: 'No app server had a connection for the hub within the waiting time, or the one that the client requires has none.',
  },
  serverConnectionClosed: {
    label: 'ServerConnectionClosed',
    fault: 'app server',
    reconnect: true,
    code: 1001,
    when: 'The server connection that carried the client was closed or lost.',
  },
  slowClient: {
    label: 'SlowClient',
    fault: 'client',
    reconnect: true,
    code: 1008,
    text: 'The connection does not take its messages fast enough.',
    when: 'More was waiting for the client than its queue holds, or than may wait for all clients before they are open.',
  },
  slowAppServer: {
    label: 'SlowAppServer',
    fault: 'app server',
    reconnect: true,
    code: 1001,
    text: 'The app server does not take messages fast enough.',
    when: 'The server connection was full, or the client was between two app servers, and it said more than may wait meanwhile, or a post waited for too long.',
  },
  badRequest: {
    label: 'BadRequest',
    fault: 'client',
    reconnect: true,
    code: 1007,
    text: 'Connection closed with an error.',
    when: 'The client sent what is not framed as hub messages, or a message over the size limit.',
  },
  badServerData: {
    label: 'BadServerData',
    fault: 'app server',
    reconnect: true,
    code: 1011,
    text: 'Connection closed with an error.',
    when: 'The app server sent the client what is not framed as hub messages, or did not go on with a message that it had begun.',
  },
  flood: {
    label: 'Flood',
    fault: 'client',
    reconnect: true,
    code: 1008,
    text: 'Connection closed with an error.',
    when: 'The client sent more at once than can be worked off, did not go on with a message that it had begun, or kept sending pings or what no client sends.',
  },
  draining: {
    label: 'Draining',
    fault: 'operator',
    reconnect: true,
    code: 1001,
    when: 'The edge drains, because it is about to stop: its clients are sent away at a pace, each when its calls have ended or the time is up.',
  },
  serviceReload: {
    label: 'ServiceReload',
    fault: 'operator',
    reconnect: true,
    code: 1001,
    when: 'The edge is stopping.',
  },
} as const satisfies Record<string, CloseReason>;

/** Every way a server connection ends. Servers dial again by themselves after each. */
export const SERVER_CLOSE_REASONS = {
  normal: {
    label: 'Normal',
    fault: 'app server',
    reconnect: true,
    code: 1000,
    when: 'The app server closed the connection.',
  },
  connectionLost: {
    label: 'ConnectionLost',
    fault: 'network',
    reconnect: true,
    code: 1006,
    when: 'The connection ended without a WebSocket close: the app server or the network went away.',
  },
  pingTimeout: {
    label: 'PingTimeout',
    fault: 'app server',
    reconnect: true,
    code: 1001,
    when: 'Not a byte came for 12 seconds, and no answer to a probe.',
  },
  handshakeError: {
    label: 'HandshakeError',
    fault: 'app server',
    reconnect: true,
    code: 1000,
    when: 'The service handshake was missing, late, malformed or of another version.',
  },
  badRequest: {
    label: 'BadRequest',
    fault: 'app server',
    reconnect: true,
    code: 1007,
    when: 'A frame did not follow the service protocol.',
  },
  flood: {
    label: 'Flood',
    fault: 'app server',
    reconnect: true,
    code: 1008,
    when: 'The app server sent more at once than can be worked off, or did not go on with a message that it had begun.',
  },
  slowAppServer: {
    label: 'SlowAppServer',
    fault: 'app server',
    reconnect: true,
    code: 1008,
    when: 'The app server stopped reading, and the queue to it overflowed.',
  },
  serviceReload: {
    label: 'ServiceReload',
    fault: 'operator',
    reconnect: true,
    code: 1001,
    when: 'The edge is stopping.',
  },
} as const satisfies Record<string, CloseReason>;
