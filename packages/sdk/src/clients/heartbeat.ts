import type { HubSettings } from '../options.ts';

/** What a client that has shaken hands is due. */
export type Due = 'ping' | 'timeout' | undefined;

/** When one client was last heard of and last pinged (client protocols reference, section 3.6). */
export class Heartbeat {
  readonly #settings: HubSettings;
  #pings = false;
  #lastReceived: number;
  #lastPing: number;

  constructor(settings: HubSettings, now: number) {
    this.#settings = settings;
    this.#lastPing = this.#lastReceived = now;
  }

  received(now: number): void {
    this.#lastReceived = now;
  }

  /** The client pings. From then on it is closed when it falls silent, and not before. */
  pings(): void {
    this.#pings = true;
  }

  pinged(now: number): void {
    this.#lastPing = now;
  }

  handshakeIsLate(now: number): boolean {
    return now - this.#lastReceived >= this.#settings.handshakeTimeout;
  }

  due(now: number): Due {
    const { clientTimeoutInterval, keepAliveInterval } = this.#settings;
    if (this.#pings && now - this.#lastReceived > clientTimeoutInterval) return 'timeout';
    return now - this.#lastPing >= keepAliveInterval ? 'ping' : undefined;
  }
}
