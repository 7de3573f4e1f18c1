import type { HubHost } from './hubs/hub-host.ts';
import type { Negotiator } from './negotiate/handler.ts';

/** One for all copies of this module in the process: a reloader makes new ones. */
const PLACES = Symbol.for('@trunkline/sdk/places');

/** What a server answers with. */
export interface Serving {
  readonly negotiator: Negotiator;
  /** By hub key. */
  readonly hosts: ReadonlyMap<string, HubHost>;
  isConnected(): boolean;
  isStopped(): boolean;
}

/** A server as its place needs it. */
export interface Placed extends Serving {
  /** Resolves when it is connected. */
  connect(): Promise<void>;
  leave(): Promise<void>;
}

/** What may be there of another copy of this module, so that it has to stay as it is. */
interface Occupant {
  serving(): Serving;
  replacedBy(successor: Promise<void>): void;
}

/**
 * The place of a server that is made again under one name, as development servers do at each edit.
 * Who starts there replaces who was there before, and answers for all that were made under the name:
 * Next.js loads a module once for each kind of caller, and starts the server in one of them.
 */
export class Place implements Occupant {
  readonly #name: string;
  readonly #server: Placed;
  #successor: Promise<void> | undefined;
  /** Answers until this one is connected. */
  #before: Serving | undefined;

  constructor(name: string, server: Placed) {
    this.#name = name;
    this.#server = server;
  }

  /** Whoever answers under the name now; this server while none has been started. */
  answering(): Serving {
    return places().get(this.#name)?.serving() ?? this.#server;
  }

  serving(): Serving {
    const before = this.#before;
    return before?.isConnected() === true && !this.#server.isConnected() ? before : this.#server;
  }

  /** Settles as `connect` does, or as the successor's start where that came before. */
  async start(): Promise<void> {
    const before = places().get(this.#name);
    this.#before = before?.serving();
    places().set(this.#name, this);
    const started = this.#started();
    before?.replacedBy(started);
    try {
      await started;
    } finally {
      this.#before = undefined;
    }
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

/** An object that is, at each use, what `inPlace` answers then. */
export function handedOn<Handle extends object>(own: Handle, inPlace: () => Handle): Handle {
  return new Proxy(own, {
    get: (_own, name) => {
      const handle = inPlace();
      const value: unknown = Reflect.get(handle, name);
      return typeof value === 'function' ? (value.bind(handle) as unknown) : value;
    },
  });
}

function places(): Map<string, Occupant> {
  const scope = globalThis as { [PLACES]?: Map<string, Occupant> };
  return (scope[PLACES] ??= new Map<string, Occupant>());
}
