/** Ping cadence, and when silence is probed and when it is over (section 7.3 of the reference). */
const PING_MS = 5_000;
const PROBE_MS = 6_000;
const LOST_MS = 12_000;
/** The SDK gives up on its side after the same time (section 7.2). */
const HANDSHAKE_MS = 15_000;

/** What has to be done about a server connection now. */
export interface Due {
  readonly lost: boolean;
  /** Nothing has come for a while: its clients should hear that somebody is here. */
  readonly silent: boolean;
  /** It has just become silent: ask for a sign of life. */
  readonly probe: boolean;
  readonly ping: boolean;
}

/**
 * When a server connection is to be pinged, probed or given up (service protocol reference,
 * section 7.3). For its handshake it has 15 s as a whole, whatever bytes come meanwhile.
 */
export class Heartbeat {
  #shaken = false;
  #lastHeard: number;
  #lastPing: number;
  #probed = false;

  constructor(now: number) {
    this.#lastHeard = now;
    this.#lastPing = now;
  }

  handshakeDone(now: number): void {
    this.#shaken = true;
    this.#lastHeard = now;
  }

  heard(now: number): void {
    if (this.#shaken) this.#lastHeard = now;
    this.#probed = false;
  }

  /** `late`: how long this edge itself slept, for which no server is to blame. */
  due(now: number, late: number): Due {
    this.#lastHeard = Math.min(now, this.#lastHeard + late);
    const silence = now - this.#lastHeard;
    if (!this.#shaken) return { ...NOTHING, lost: silence >= HANDSHAKE_MS };
    const silent = silence >= PROBE_MS;
    const probe = silent && !this.#probed;
    this.#probed = silent;
    const ping = now - this.#lastPing >= PING_MS;
    if (ping) this.#lastPing = now;
    return { lost: silence >= LOST_MS, silent, probe, ping };
  }
}

const NOTHING: Due = { lost: false, silent: false, probe: false, ping: false };
