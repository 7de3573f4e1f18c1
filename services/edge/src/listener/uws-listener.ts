import { STATUS_CODES } from 'node:http';
import type * as uws from 'uWebSockets.js';
import type {
  HttpRequest as UwsRequest,
  HttpResponse,
  TemplatedApp,
  us_listen_socket,
  us_socket_context_t,
  WebSocketBehavior,
} from 'uWebSockets.js';
import { SettingsError } from '@trunkline/settings';
import type { Doors, HttpAnswer, HttpRequest, Listener } from '../ports/listener.ts';
import type { SocketHandler } from '../ports/socket.ts';
import { corsHeaders, preflightHeaders } from './cors.ts';

/** A legal token has 4,096 characters and rides in the URL, beside the original query and headers. */
const MAX_HEADERS_BYTES = '32768';
/** The .NET SDK packs many service messages into one WebSocket message. */
const SERVER_MESSAGE_BYTES = 128 * 1024 * 1024;
/** A server connection whose queue passes this has stopped reading; its stream cannot be mended. */
const SERVER_QUEUE_BYTES = 64 * 1024 * 1024;

export interface ListenerSettings {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Paths of PEM files. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly allowedOrigins: readonly string[];
  /** One WebSocket message of a client, which may hold many hub messages. */
  readonly clientMessageBytes: number;
  /** What may wait for a client before it is given up. */
  readonly clientQueueBytes: number;
}

type Uws = typeof uws;

/**
 * Binds the public port. Requests are copied before anything is done with them, since
 * uWebSockets.js takes them back when a handler returns; sockets are its own objects.
 * Rejects with one line when the address is taken or the native module does not load.
 */
export async function listen(settings: ListenerSettings, doors: Doors): Promise<Listener> {
  const module = await loadUws();
  const app = settings.tls === undefined ? module.App() : secureApp(module, settings.tls);
  routes(app, settings, doors);
  const socket = await bind(app, settings);
  return {
    port: module.us_socket_local_port(socket),
    stopListening: () => module.us_listen_socket_close(socket),
    close: () => void app.close(),
  };
}

/** Its limits are read when the module is loaded, so they are set here, first of all. */
async function loadUws(): Promise<Uws> {
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= MAX_HEADERS_BYTES;
  try {
    return await import('uWebSockets.js');
  } catch {
    throw new SettingsError(
      `uWebSockets.js has no binary for Node ${process.versions.node} on ${process.platform}-${process.arch}: ` +
        'use Node 20 or 22 (npm run does by itself), or install an upstream build: ' +
        'npm install uWebSockets.js@uNetworking/uWebSockets.js#<version>',
    );
  }
}

/** The module itself does not say which file it could not use. */
function secureApp(module: Uws, { cert, key }: { cert: string; key: string }): TemplatedApp {
  try {
    return module.SSLApp({ cert_file_name: cert, key_file_name: key });
  } catch {
    throw new SettingsError(
      `cannot serve TLS with ${cert} and ${key}: give a PEM certificate and the key it was made for`,
    );
  }
}

/** The module takes options beside a host too; its types only know them beside a port. */
type ListenOn = (
  host: string,
  port: number,
  options: number,
  done: (socket: us_listen_socket | false) => void,
) => TemplatedApp;

/** LIBUS_LISTEN_EXCLUSIVE_PORT: without it two edges would share a port, and take turns. */
const EXCLUSIVE = 1;
const IN_USE = 'it is in use, or not an address of this machine; choose another --port or --host';

function bind(app: TemplatedApp, { host, port }: ListenerSettings): Promise<us_listen_socket> {
  const listenOn = app.listen.bind(app) as unknown as ListenOn;
  return new Promise((resolve, reject) => {
    listenOn(host, port, EXCLUSIVE, (socket) => {
      if (socket) resolve(socket);
      else reject(new SettingsError(`cannot listen on ${host} port ${port}: ${IN_USE}`));
    });
  });
}

function routes(app: TemplatedApp, settings: ListenerSettings, doors: Doors): void {
  const { allowedOrigins, clientMessageBytes, clientQueueBytes } = settings;
  const client = behavior(clientMessageBytes, clientQueueBytes, (request) => doors.client(request));
  const server = behavior(SERVER_MESSAGE_BYTES, SERVER_QUEUE_BYTES, (request) =>
    doors.server(request),
  );
  for (const path of ['/client/', '/client']) app.ws(path, client);
  for (const path of ['/server/', '/server']) app.ws(path, server);
  app.post('/client/negotiate', (res, req) => {
    const request = copyRequest(res, req);
    respond(res, doors.negotiate(request), corsHeaders(request, allowedOrigins));
  });
  app.options('/client/*', (res, req) => {
    const request = copyRequest(res, req);
    const cors = { ...corsHeaders(request, allowedOrigins), ...preflightHeaders(request) };
    respond(res, { status: 204 }, cors);
  });
  for (const path of ['/api/health', '/api/v1/health']) {
    app.get(path, (res) => respond(res, { status: 200 }));
    app.head(path, (res) => respond(res, { status: 200 }));
  }
  app.any('/*', (res) => {
    const body = 'There is nothing here. Clients connect at /client/, app servers at /server/.\n';
    respond(res, { status: 404, headers: { 'content-type': 'text/plain' }, body });
  });
}

/** The module copies these properties onto its socket: one, which leads to everything else. */
interface UserData {
  readonly handler: SocketHandler;
}

/** Timeouts and pings of its own are off: keep-alive belongs to the protocols. */
function behavior(
  messageBytes: number,
  queueBytes: number,
  admit: (request: HttpRequest) => SocketHandler | HttpAnswer,
): WebSocketBehavior<UserData> {
  return {
    maxPayloadLength: messageBytes,
    maxBackpressure: queueBytes,
    idleTimeout: 0,
    sendPingsAutomatically: false,
    upgrade: (res, req, context) => upgrade(res, req, context, admit),
    open: (ws) => ws.getUserData().handler.opened(ws),
    message: (ws, message) => ws.getUserData().handler.received(Buffer.from(message)),
    drain: (ws) => ws.getUserData().handler.drained(),
    close: (ws, code, message) =>
      ws.getUserData().handler.disconnected(code, Buffer.from(message).toString()),
  };
}

function upgrade(
  res: HttpResponse,
  req: UwsRequest,
  context: us_socket_context_t,
  admit: (request: HttpRequest) => SocketHandler | HttpAnswer,
): void {
  const request = copyRequest(res, req);
  const verdict = admit(request);
  if ('status' in verdict) {
    respond(res, verdict);
    return;
  }
  // No sub-protocol is chosen: no official client offers one.
  const userData: UserData = { handler: verdict };
  res.upgrade(userData, request.headers.get('sec-websocket-key') ?? '', '', '', context);
}

function copyRequest(res: HttpResponse, req: UwsRequest): HttpRequest {
  const headers = new Map<string, string>();
  req.forEach((name, value) => {
    const known = headers.get(name);
    const joint = name === 'cookie' ? '; ' : ', ';
    headers.set(name, known === undefined ? value : known + joint + value);
  });
  return {
    // Undefined, whatever its type says, for a URL without `?`.
    query: req.getQuery() ?? '',
    headers,
    remoteAddress: Buffer.from(res.getRemoteAddressAsText()).toString(),
  };
}

/** Answers at once: no route reads a body, and uWebSockets.js passes over one that comes. */
function respond(
  res: HttpResponse,
  answer: HttpAnswer,
  headers: Readonly<Record<string, string>> = {},
): void {
  res.cork(() => {
    res.writeStatus(`${answer.status} ${STATUS_CODES[answer.status] ?? ''}`);
    for (const [name, value] of Object.entries({ ...answer.headers, ...headers })) {
      res.writeHeader(name, value);
    }
    res.end(answer.body ?? '');
  });
}
