import type { Budget } from '@trunkline/protocol';
import type { HttpResponse } from 'uWebSockets.js';
import type { Pools } from '../pools.ts';
import type { HttpRequest } from '../ports/listener.ts';
import { addressOf } from './uws-request.ts';

export interface NewcomerSettings {
  /** Sockets of the public port beyond which one that comes has to send a request. */
  readonly openSockets: number;
  /** Sockets beyond `openSockets` that may have sent a request: app servers' ones, by and large. */
  readonly spareSockets: number;
  readonly pools: Pools;
  /** Told of each socket that is closed because there are no files for it. */
  readonly turnedAway: (remoteAddress: string) => void;
}

interface Newcomer {
  readonly res: HttpResponse;
  readonly address: string;
}

/**
 * Sockets that have come while open files are short, and have not shown a request yet. They share a
 * pool: when it is full, the oldest of the address with most of them makes room, so that an app
 * server or a health check gets to say what it wants while a crowd is silent.
 *
 * uWebSockets.js does not say which socket a request is on. But it calls a handler that was set when
 * the socket came: after the handler of a request on it, or when the socket closes before any. From
 * then on the socket is not touched here, since a socket that becomes a WebSocket moves in memory.
 */
export class Newcomers {
  readonly #settings: NewcomerSettings;
  readonly #silent = new Set<Newcomer>();
  readonly #places: Budget<string>;

  constructor(settings: NewcomerSettings) {
    this.#settings = settings;
    this.#places = settings.pools.open('newcomers', (address) => void this.#closeOldest(address));
  }

  /** Whether a request may be a newcomer's first. If so, an upgrade must not be done at once. */
  get any(): boolean {
    return this.#silent.size > 0;
  }

  /** A socket has been accepted, which `openSockets` counts. It may be closed when this returns. */
  arrived(res: HttpResponse, openSockets: number): void {
    const { openSockets: limit, spareSockets } = this.#settings;
    if (openSockets <= limit) return;
    const newcomer = { res, address: addressOf(res) };
    // The one that comes is counted in `openSockets`, and not among the silent yet.
    if (openSockets - this.#silent.size > limit + spareSockets + 1) return this.#close(newcomer);
    while (!this.#places.take(newcomer.address, 1)) {
      // No address has twice as many as this one, so its own oldest goes; if it has none, anybody's.
      const madeRoom = this.#closeOldest(newcomer.address) || this.#closeOldest();
      // Nobody is silent, so there are no places at all.
      if (!madeRoom) return this.#close(newcomer);
    }
    this.#silent.add(newcomer);
    const settle = (): void => this.#settle(newcomer);
    res.onAborted(settle).onData(settle);
  }

  /**
   * A request of this address has set a body handler of its own, in the place of the one set here,
   * so its socket would count as silent for ever: all silent sockets of the address are left to
   * uWebSockets.js, which cuts them after 10 to 12 s.
   */
  forget(address: string): void {
    for (const newcomer of this.#silent) {
      if (newcomer.address === address) this.#settle(newcomer);
    }
  }

  /**
   * Whether a request is turned away because its body comes in chunks: until the first of them
   * uWebSockets.js does not call the handler set here, and does not say either whether the request is on
   * a silent socket. All of the address are closed, which tells.
   */
  turnsAway(res: HttpResponse, { headers, remoteAddress }: HttpRequest): boolean {
    if (!this.any || !headers.has('transfer-encoding')) return false;
    let isClosed = false;
    res.onAborted(() => {
      isClosed = true;
    });
    while (this.#closeOldest(remoteAddress));
    return isClosed;
  }

  #settle(newcomer: Newcomer): void {
    if (this.#silent.delete(newcomer)) this.#places.give(newcomer.address, 1);
  }

  /** Closes the oldest silent socket, of one address or of all. False when there is none. */
  #closeOldest(address?: string): boolean {
    for (const newcomer of this.#silent) {
      if (address !== undefined && newcomer.address !== address) continue;
      this.#settle(newcomer);
      this.#close(newcomer);
      return true;
    }
    return false;
  }

  #close({ res, address }: Newcomer): void {
    this.#settings.turnedAway(address);
    res.close();
  }
}
