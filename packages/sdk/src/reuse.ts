/** One for all copies of this module in the process: a reloader makes new ones. */
const PLACES = Symbol.for('@trunkline/sdk/places');

/** A server as its place needs it. */
export interface Placed {
  /** Resolves when it is connected. */
  connect(): Promise<void>;
  isConnected(): boolean;
  leave(): Promise<void>;
}

/** What may be there of another copy of this module, so that it has to stay as it is. */
interface Occupant {
  replacedBy(successor: Promise<void>): void;
}

/**
 * The place of a server that is made again under one name, as development servers do at each edit.
 * Who starts there replaces who was there before.
 */
export class Place implements Occupant {
  readonly #name: string;
  readonly #server: Placed;
  #successor: Promise<void> | undefined;

  constructor(name: string, server: Placed) {
    this.#name = name;
    this.#server = server;
  }

  /** Settles as `connect` does, or as the successor's start where that came before. */
  start(): Promise<void> {
    const before = places().get(this.#name);
    places().set(this.#name, this);
    const started = this.#started();
    before?.replacedBy(started);
    return started;
  }

  /** Leaves when the successor is connected, so that the clients have somewhere to go. */
  replacedBy(successor: Promise<void>): void {
    this.#successor = successor;
    const leave = () => void this.#server.leave();
    // One that is not connected has no clients, and would only dial beside its successor.
    if (this.#server.isConnected()) successor.then(leave, leave);
    else leave();
  }

  vacate(): void {
    if (places().get(this.#name) === this) places().delete(this.#name);
  }

  async #started(): Promise<void> {
    try {
      await this.#server.connect();
    } catch (error) {
      if (this.#successor === undefined) throw error;
      await this.#successor;
    }
  }
}

function places(): Map<string, Occupant> {
  const scope = globalThis as { [PLACES]?: Map<string, Occupant> };
  return (scope[PLACES] ??= new Map<string, Occupant>());
}
