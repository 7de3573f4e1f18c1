import type { HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { BodyRules, ReadPiece } from '../bodies.ts';
import { Bodies } from '../bodies.ts';
import { asksForEvents, type Doors, type HttpAnswer, type HttpRequest } from '../ports/listener.ts';
import { corsHeaders, preflightHeaders } from './cors.ts';
import { Newcomers, type NewcomerSettings } from './newcomers.ts';
import { type FinishAnswer, respond, UwsExchange } from './uws-exchange.ts';
import { copyRequest, refusedAsAmbiguous } from './uws-request.ts';
import type { ReadRequest, UwsHandler } from './uws-request.ts';
import { webSockets } from './uws-web-sockets.ts';

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

/** What waits for an answer of a client keeps none of them (`client_results` bounds it). */
const REST_BODIES: BodyRules = {
  bytes: 1024 * 1024,
  postsOfOwner: 'rest_posts',
  bytesOfOwner: 'rest_post_bytes',
  until: 'taken',
};

export interface RouteSettings extends NewcomerSettings {
  readonly allowedOrigins: readonly string[];
  /** One WebSocket message of a client, which may hold many hub messages. */
  readonly maxBatchBytes: number;
  /** What may wait for a client before it is given up. */
  readonly clientQueueBytes: number;
  /** Reads posts. */
  readonly bodies: Bodies;
  readonly counters: ListenerCounters;
}

/** What the listener counts, for metrics and for who lets clients in. */
interface ListenerCounters {
  /** Sockets of the public port, whatever they are used for. */
  openSockets: number;
}

type Headers = Readonly<Record<string, string>>;
type ExchangeDoor = (request: HttpRequest, exchange: UwsExchange, res: HttpResponse) => void;

/** How requests are read, and those answered that want no WebSocket. */
interface Answering {
  /** Sees to it that a connection that is needed no longer ends with the answer, where files are short. */
  readonly last: FinishAnswer;
  readonly read: ReadRequest;
  on(handle: (res: HttpResponse, request: HttpRequest) => void): UwsHandler;
  /** Answers where no door is asked. */
  say(res: HttpResponse, request: HttpRequest, answer: HttpAnswer): void;
  /** Asks a door, which answers now or later; `finish` gives the request's: see `UwsExchange`. */
  ask(door: ExchangeDoor, finish: (request: HttpRequest) => FinishAnswer): UwsHandler;
}

const TEXT = { 'content-type': 'text/plain' } as const;

/** What the public port serves. */
export function routes(app: TemplatedApp, settings: RouteSettings, doors: Doors): void {
  const newcomers = new Newcomers(settings);
  const cors = (request: HttpRequest): Headers => corsHeaders(request, settings.allowedOrigins);
  const last: FinishAnswer = (answer) => (newcomers.any ? { ...answer, hangUp: true } : answer);
  const read: ReadRequest = (res, req) => {
    const request = copyRequest(res, req);
    const isOver = newcomers.turnsAway(res, request) || refusedAsAmbiguous(res, request);
    return isOver ? undefined : request;
  };
  const on: Answering['on'] = (handle) => (res, req) => {
    const request = read(res, req);
    if (request !== undefined) handle(res, request);
  };
  const answering: Answering = {
    last,
    read,
    on,
    say: (res, request, answer) => respond(res, last(answer), cors(request)),
    ask: (door, finish) =>
      on((res, request) => {
        const exchange = new UwsExchange(res, cors(request), finish(request));
        door(request, exchange, res);
        exchange.keep();
      }),
  };
  upgrades(app, settings, doors, newcomers, answering);
  clientRequests(app, settings, doors, newcomers, answering);
  const preflight = on((res, request) =>
    respond(res, { status: 204 }, { ...cors(request), ...preflightHeaders(request) }),
  );
  for (const path of ['/client/*', '/client']) app.options(path, preflight);
  restCalls(app, settings, doors, newcomers, answering);
  const body =
    'There is nothing here. Clients connect at /client/, app servers at /server/; REST calls go to /api/.\n';
  app.any('/*', refuse({ status: 404, headers: TEXT, body }, answering));
}

/** WebSockets, and the count of all sockets. */
function upgrades(
  app: TemplatedApp,
  settings: RouteSettings,
  doors: Doors,
  newcomers: Newcomers,
  { read, say }: Answering,
): void {
  const { maxBatchBytes, clientQueueBytes, counters } = settings;
  // It is told of sockets that come, but not of those that go as WebSockets.
  app.filter((res, change) => {
    counters.openSockets += change;
    if (change > 0) newcomers.arrived(res, counters.openSockets);
  });
  const gone = (): void => void counters.openSockets--;
  const common = { read, refuse: say, gone, mustWait: () => newcomers.any };
  const ofClients = {
    webSocketMessageBytes: maxBatchBytes,
    queueBytes: clientQueueBytes,
    silentSeconds: SILENT_SECONDS,
  };
  const client = webSockets({ ...common, ...ofClients }, (request, upgrade) =>
    doors.client(request, upgrade),
  );
  const server = webSockets({ ...common, ...SERVER_LIMITS }, (request, upgrade) =>
    doors.server(request, upgrade),
  );
  for (const path of ['/client/', '/client']) app.ws(path, client);
  for (const path of ['/server/', '/server']) app.ws(path, server);
}

/** Negotiates, server-sent events and polls, posts, the end of those, and what no client asks for. */
function clientRequests(
  app: TemplatedApp,
  settings: RouteSettings,
  doors: Doors,
  newcomers: Newcomers,
  answering: Answering,
): void {
  const { last, ask } = answering;
  const lastIfRefused: FinishAnswer = (answer) => (answer.status < 400 ? answer : last(answer));
  const ofEvents: FinishAnswer = (answer) => lastIfRefused(notToBeRepeated(answer));
  const negotiate = ask(
    (request, exchange) => doors.negotiate(request, exchange),
    () => last,
  );
  const receive = ask(
    (request, exchange) => doors.receive(request, exchange),
    (request) => (asksForEvents(request) ? ofEvents : lastIfRefused),
  );
  const leave = ask(
    (request, exchange) => doors.leave(request, exchange),
    () => last,
  );
  const send = ask(
    (request, exchange, res) => {
      const post = doors.send(request, exchange);
      if (post === undefined) return;
      newcomers.forget(request.remoteAddress);
      readBody(res, settings.bodies.open(post, exchange));
    },
    () => lastIfRefused,
  );
  const headers = { ...TEXT, allow: 'GET, POST, DELETE, OPTIONS' };
  const body = 'Clients connect with GET, send with POST and leave with DELETE.\n';
  const refused = refuse({ status: 405, headers, body }, answering);
  app.post('/client/negotiate', negotiate);
  for (const path of ['/client/', '/client']) {
    app.get(path, receive).post(path, send).del(path, leave).any(path, refused);
  }
}

/**
 * An event stream is never answered with a 5xx: the EventSource of clients in Node repeats the request a
 * second later, while the client itself has given it up and begun anew. The two connections then disturb
 * each other, and the client goes on hearing from both (docs/protocol.md, "To clients").
 */
function notToBeRepeated(answer: HttpAnswer): HttpAnswer {
  return answer.status < 500 ? answer : { ...answer, status: 404 };
}

/** REST calls; which of them there are, their door knows. */
function restCalls(
  app: TemplatedApp,
  { pools }: RouteSettings,
  doors: Doors,
  newcomers: Newcomers,
  { last, ask }: Answering,
): void {
  const bodies = new Bodies(REST_BODIES, undefined, pools);
  const call = ask(
    (request, exchange, res) => {
      const post = doors.rest(request, exchange);
      if (post === undefined) return;
      newcomers.forget(request.remoteAddress);
      readBody(res, bodies.open(post, exchange));
    },
    () => last,
  );
  app.any('/api/*', call);
}

/** `read`: what takes the body's pieces; undefined where it has been refused already. */
function readBody(res: HttpResponse, read: ReadPiece | undefined): void {
  if (read !== undefined) res.onData((piece, isLast) => read(new Uint8Array(piece), isLast));
}

/** Answers what no route is for; the answer to a HEAD ends with its head. */
function refuse(answer: HttpAnswer, { on, say }: Answering): UwsHandler {
  const { body: _body, ...head } = answer;
  return on((res, request) => say(res, request, request.method === 'HEAD' ? head : answer));
}
