import type * as uws from 'uWebSockets.js';
import type { HttpResponse, TemplatedApp, us_listen_socket } from 'uWebSockets.js';
import { SettingsError } from '@trunkline/settings';
import type { Doors, HttpAnswer, HttpRequest, Listener } from '../ports/listener.ts';
import type { BodyCounters } from './bodies.ts';
import { Bodies } from './bodies.ts';
import { corsHeaders, preflightHeaders } from './cors.ts';
import { Newcomers, type NewcomerSettings } from './newcomers.ts';
import { respond, UwsExchange } from './uws-exchange.ts';
import { unambiguous, type UwsHandler } from './uws-request.ts';
import { webSockets } from './uws-web-sockets.ts';

/** A legal token has 4,096 characters and rides in the URL, beside the original query and headers. */
const MAX_HEADERS_BYTES = '32768';
/**
 * Clients: nobody but the module sees the bytes of a WebSocket message that has begun, so it is the
 * one that gives up a peer which stalls in one. It looks every 4 s. With 28 s it pings after 16 to 20
 * s without a byte, which hub pings, every 15 s, come before, and cuts 8 s later. A peer that says
 * nothing, as clients may that have never pinged, has to answer; every WebSocket library does.
 */
const SILENT_SECONDS = 28;
const SERVER_LIMITS = {
  /** The .NET SDK packs many service messages into one WebSocket message. */
  webSocketMessageBytes: 128 * 1024 * 1024,
  /** A server connection whose queue passes this has stopped reading; its stream cannot be mended. */
  queueBytes: 64 * 1024 * 1024,
  /** Its session gives it up sooner. */
  silentSeconds: 0,
};

export interface ListenerSettings extends NewcomerSettings {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Paths of PEM files. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly allowedOrigins: readonly string[];
  /** One WebSocket message of a client, or one post: each may hold many hub messages. */
  readonly maxBatchBytes: number;
  /** What may wait for a client before it is given up. */
  readonly clientQueueBytes: number;
  readonly counters: ListenerCounters;
}

/** What the listener counts, for metrics and for who lets clients in. */
export interface ListenerCounters extends BodyCounters {
  /** Sockets of the public port, whatever they are used for. */
  openSockets: number;
}

type Headers = Readonly<Record<string, string>>;

const TEXT = { 'content-type': 'text/plain' } as const;

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
  let module: Uws;
  try {
    module = await import('uWebSockets.js');
  } catch {
    throw new SettingsError(
      `uWebSockets.js has no binary for Node ${process.versions.node} on ${process.platform}-${process.arch}: ` +
        'use Node 20 or 22 (npm run does by itself), or install an upstream build: ' +
        'npm install uWebSockets.js@uNetworking/uWebSockets.js#<version>',
    );
  }
  // No answer says which library it is from. The types do not know this switch.
  (module as unknown as { _cfg(key: string): void })._cfg('silent');
  return module;
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

type Cors = (request: HttpRequest) => Headers;
/** Answers as a whole, on a connection that is needed no longer where files are short. */
type Say = (res: HttpResponse, request: HttpRequest, answer: HttpAnswer) => void;

function routes(app: TemplatedApp, settings: ListenerSettings, doors: Doors): void {
  const cors: Cors = (request) => corsHeaders(request, settings.allowedOrigins);
  const newcomers = new Newcomers(settings);
  const say: Say = (res, request, answer) =>
    respond(res, newcomers.any ? { ...answer, hangUp: true } : answer, cors(request));
  upgrades(app, settings, doors, newcomers, say);
  const bodies = new Bodies(settings.maxBatchBytes, settings.counters, settings.pools);
  for (const path of ['/client/', '/client']) {
    const send = unambiguous((res, request) => {
      const verdict = doors.send(request);
      if ('status' in verdict) return say(res, request, verdict);
      newcomers.forget(request.remoteAddress);
      bodies.read(res, cors(request), verdict);
    });
    app.post(path, send);
    clientRequests(app, path, doors, cors, say);
  }
  const negotiate = unambiguous((res, request) => say(res, request, doors.negotiate(request)));
  app.post('/client/negotiate', negotiate);
  const preflight = unambiguous((res, request) =>
    respond(res, { status: 204 }, { ...cors(request), ...preflightHeaders(request) }),
  );
  for (const path of ['/client/*', '/client']) app.options(path, preflight);
  const healthy = unambiguous((res, request) => say(res, request, { status: 200 }));
  for (const path of ['/api/health', '/api/v1/health']) app.get(path, healthy).head(path, healthy);
  const body = 'There is nothing here. Clients connect at /client/, app servers at /server/.\n';
  app.any('/*', refuse({ status: 404, headers: TEXT, body }, say));
}

/** WebSockets, and the count of all sockets. */
function upgrades(
  app: TemplatedApp,
  settings: ListenerSettings,
  doors: Doors,
  newcomers: Newcomers,
  refuse: Say,
): void {
  const { maxBatchBytes, clientQueueBytes, counters } = settings;
  // It is told of sockets that come, but not of those that go as WebSockets.
  app.filter((res, change) => {
    counters.openSockets += change;
    if (change > 0) newcomers.arrived(res, counters.openSockets);
  });
  const gone = (): void => void counters.openSockets--;
  const common = { refuse, gone, mustWait: () => newcomers.any };
  const ofClients = {
    webSocketMessageBytes: maxBatchBytes,
    queueBytes: clientQueueBytes,
    silentSeconds: SILENT_SECONDS,
  };
  const client = webSockets({ ...common, ...ofClients }, (request) => doors.client(request));
  const server = webSockets({ ...common, ...SERVER_LIMITS }, (request) => doors.server(request));
  for (const path of ['/client/', '/client']) app.ws(path, client);
  for (const path of ['/server/', '/server']) app.ws(path, server);
}

/** Server-sent events and polls, their end, and what no client asks for. */
function clientRequests(app: TemplatedApp, path: string, doors: Doors, cors: Cors, say: Say): void {
  const receive = unambiguous((res, request) =>
    doors.receive(request, new UwsExchange(res, cors(request))),
  );
  const leave = unambiguous((res, request) => say(res, request, doors.leave(request)));
  app.get(path, receive).del(path, leave);
  const headers = { ...TEXT, allow: 'GET, POST, DELETE, OPTIONS' };
  const body = 'Clients connect with GET, send with POST and leave with DELETE.\n';
  app.any(path, refuse({ status: 405, headers, body }, say));
}

/** Answers what no route is for; the answer to a HEAD ends with its head. */
function refuse(answer: HttpAnswer, say: Say): UwsHandler {
  const { body: _body, ...head } = answer;
  return unambiguous((res, request, method) =>
    say(res, request, method === 'head' ? head : answer),
  );
}
