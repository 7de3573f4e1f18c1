import { Mailbox } from '@trunkline/testing';

import { Bodies } from '../../../services/edge/src/bodies.ts';
import { listen, type ListenerSettings } from '../../../services/edge/src/listener/uws-listener.ts';
import { Pools } from '../../../services/edge/src/pools.ts';
import type { Exchange } from '../../../services/edge/src/ports/exchange.ts';
import type { Doors, HttpRequest } from '../../../services/edge/src/ports/listener.ts';
import type { Socket, SocketHandler } from '../../../services/edge/src/ports/socket.ts';
import type { Upgrade } from '../../../services/edge/src/ports/upgrade.ts';
import { RawSocket, UPGRADE } from './raw-socket.ts';

/** Somebody at a door. */
export class Visit<At extends Upgrade | Exchange> {
  readonly door: keyof Doors;
  readonly request: HttpRequest;
  /** What the test decides or answers. */
  readonly at: At;
  /** Resolves when the door is told that the peer has gone. */
  readonly gone: Promise<void>;
  /** The body of a post. */
  readonly body: Promise<Buffer>;
  /** Hands in that body. */
  readonly take: (body: Buffer) => void;
  hasGone = false;
  hasBody = false;

  constructor(door: keyof Doors, request: HttpRequest, at: At) {
    this.door = door;
    this.request = request;
    this.at = at;
    let take: (body: Buffer) => void;
    this.body = new Promise((resolve) => {
      take = resolve;
    });
    this.take = (bytes) => {
      this.hasBody = true;
      take(bytes);
    };
    this.gone = new Promise((resolve) => {
      const leave = (): void => {
        this.hasGone = true;
        resolve();
      };
      if ('accept' in at) at.gone = leave;
      else at.handler = { gone: leave, drained() {} };
    });
  }
}

/** What the session of a WebSocket is told. */
export class Heard implements SocketHandler {
  readonly events = new Mailbox<string>();
  socket: Socket | undefined;

  opened(socket: Socket): void {
    this.socket = socket;
    this.events.add('opened');
  }

  received(bytes: Buffer): void {
    this.events.add(bytes.toString());
  }

  drained(): void {}

  disconnected(code: number): void {
    this.events.add(`disconnected ${code}`);
  }
}

/** A public port whose doors let everybody wait: the test answers. */
export class WaitingDoors implements Disposable {
  readonly url: string;
  readonly counters: { openSockets: number; readonly refusals: { add(): void } };
  /** How much is held of each pool. */
  readonly used: (pool: string) => number;
  /** Cuts whoever is there. */
  readonly close: () => void;
  /** What a door does in the very call, beside letting its visitor wait. */
  onVisit: ((visit: Visit<Upgrade> | Visit<Exchange>) => void) | undefined;
  readonly #upgrades = new Mailbox<Visit<Upgrade>>();
  readonly #exchanges = new Mailbox<Visit<Exchange>>();
  #upgradesSeen = 0;
  #exchangesSeen = 0;

  private constructor(url: string, parts: Pick<WaitingDoors, 'counters' | 'used' | 'close'>) {
    this.url = url;
    this.counters = parts.counters;
    this.used = parts.used;
    this.close = parts.close;
  }

  static async open(settings: Partial<ListenerSettings> = {}): Promise<WaitingDoors> {
    const counters = { openSockets: 0, refusals: { add() {} } };
    const { pools = new Pools() } = settings;
    let doors: WaitingDoors | undefined;
    const listener = await listen(
      {
        host: '127.0.0.1',
        port: 0,
        sharesPort: false,
        tls: undefined,
        allowedOrigins: ['*'],
        maxBatchBytes: 100_000,
        clientQueueBytes: 100_000,
        openSockets: 1_000,
        spareSockets: 100,
        turnedAway() {},
        counters,
        ...settings,
        pools,
        bodies: new Bodies(100_000, counters, pools),
      },
      {
        client: (request, upgrade) => doors!.#upgrade('client', request, upgrade),
        server: (request, upgrade) => doors!.#upgrade('server', request, upgrade),
        negotiate: (request, exchange) => void doors!.#exchange('negotiate', request, exchange),
        receive: (request, exchange) => void doors!.#exchange('receive', request, exchange),
        send: (request, exchange) => {
          const { take } = doors!.#exchange('send', request, exchange);
          return { client: 'a client', owner: 'ann', take };
        },
        leave: (request, exchange) => void doors!.#exchange('leave', request, exchange),
      },
    );
    const used = (pool: string): number => [...pools.usage()].find(([name]) => name === pool)![1];
    const close = (): void => listener.close();
    doors = new WaitingDoors(`http://127.0.0.1:${listener.port}`, { counters, used, close });
    return doors;
  }

  /** Somebody who asks for a WebSocket. */
  knock(path = '/client/?hub=chat', headers: Readonly<Record<string, string>> = {}): RawSocket {
    const socket = new RawSocket(this.url);
    socket.request('GET', path, { ...UPGRADE, ...headers });
    return socket;
  }

  /** Somebody with another request, of which the body, of so many bytes, has come this far. */
  ask(method: string, path: string, body = '', length = body.length): RawSocket {
    const socket = new RawSocket(this.url);
    const head = [`${method} ${path} HTTP/1.1`, 'Host: edge', `Content-Length: ${length}`];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    return socket;
  }

  /** The next who wants a WebSocket. */
  async upgrade(): Promise<Visit<Upgrade>> {
    const place = this.#upgradesSeen++;
    await this.#upgrades.first(() => this.#upgrades.all.length > place, 'an upgrade');
    return this.#upgrades.all[place]!;
  }

  /** The next with another request. */
  async exchange(): Promise<Visit<Exchange>> {
    const place = this.#exchangesSeen++;
    await this.#exchanges.first(() => this.#exchanges.all.length > place, 'a request');
    return this.#exchanges.all[place]!;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #upgrade(door: keyof Doors, request: HttpRequest, upgrade: Upgrade): void {
    const visit = new Visit(door, request, upgrade);
    this.#upgrades.add(visit);
    this.onVisit?.(visit);
  }

  #exchange(door: keyof Doors, request: HttpRequest, exchange: Exchange): Visit<Exchange> {
    const visit = new Visit(door, request, exchange);
    this.#exchanges.add(visit);
    this.onVisit?.(visit);
    return visit;
  }
}
