import type { Time } from '../../ports/time.ts';
import type { HubDirectory } from '../hub-directory.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import type { Served } from '../served.ts';
import { inSlices } from '../slices.ts';
import type { Expiring } from '../watch.ts';
import type { Serverless } from './serverless.ts';
import type { UpstreamHost } from './upstream-host.ts';

/** Clients of a hub that are sent to its app servers in one second, so that these share them. */
const SENT_AWAY = 500;
/** Each sweep looks at every fourth client: thousands that came together are not all pinged at once. */
const PHASES = 4;

/** Sees clients change between upstreams and app servers, as the latter come and go; once a second. */
export class Changeovers implements Expiring {
  readonly #serverless: Serverless;
  readonly #hubs: HubDirectory;
  readonly #time: Time;
  readonly #isDraining: () => boolean;
  #phase = 0;

  constructor(serverless: Serverless, hubs: HubDirectory, isDraining: () => boolean) {
    this.#serverless = serverless;
    this.#hubs = hubs;
    this.#time = serverless.time;
    this.#isDraining = isDraining;
  }

  expire(now: number, late: number): void {
    this.#serverless.expire(now, late);
    for (const hub of this.#hubs) this.#lookAgain(hub);
    this.#phase = (this.#phase + 1) % PHASES;
    for (const [name, host] of this.#serverless.hosts) {
      const hub = this.#hubs.get(name);
      if (hub !== undefined) this.#sendAway(hub, host);
      this.#look(host, this.#phase);
    }
    for (const [name] of [...this.#serverless.hosts, ...this.#serverless.counts]) {
      if (this.#hubs.get(name) === undefined) this.#serverless.forget(name);
    }
  }

  /** An edge that is about to stop sends its clients away itself. */
  #sendAway(hub: HubRuntime, host: UpstreamHost): void {
    if (this.#isDraining() || !hub.hasAppServer || hub.migration === 'never') return;
    host.sendAway(SENT_AWAY, (client) => hub.choose(client) !== undefined);
  }

  /** Those that waited for an app server, when the last one has gone, or their hub's policy is another. */
  #lookAgain(hub: HubRuntime): void {
    if (hub.waiting.size === 0 || hub.hasAppServer) return;
    if (this.#serverless.policies.of(hub.name).withoutServer !== 'wait') hub.assignWaiting();
  }

  #look(host: UpstreamHost, from: number): void {
    inSlices(this.#time, everyFourth(host, from), (client) => {
      host.look(client, this.#serverless.tick);
      return true;
    });
  }
}

/** Clients come and go between two turns, so the list is read as it is then. */
function* everyFourth({ clients }: UpstreamHost, from: number): Generator<Served, void> {
  for (let at = from; at < clients.length; at += PHASES) yield clients[at]!;
}
