import type { EdgeContext } from './edge-context.ts';
import { HubRuntime } from './hub-runtime.ts';

/** What hubs need of the bus. */
export interface HubBus {
  follow(hub: string): void;
  publish(hub: string, frame: Uint8Array): void;
}

/**
 * The hubs of an edge, made when their first connection comes. Only somebody with an access key can
 * name a new one, so they are few and stay.
 */
export class HubDirectory {
  readonly #hubs = new Map<string, HubRuntime>();
  readonly #context: EdgeContext;
  #bus: HubBus | undefined;

  constructor(context: EdgeContext) {
    this.#context = context;
  }

  /** Before the first hub: directory and bus need each other. */
  joinBus(bus: HubBus): void {
    this.#bus = bus;
  }

  /** `name`: the hub key, lower case. */
  get(name: string): HubRuntime {
    const known = this.#hubs.get(name);
    if (known !== undefined) return known;
    const bus = this.#bus;
    const hub = new HubRuntime(name, this.#context, (frame) => bus?.publish(name, frame));
    this.#hubs.set(name, hub);
    bus?.follow(name);
    return hub;
  }

  [Symbol.iterator](): Iterator<HubRuntime> {
    return this.#hubs.values();
  }
}
